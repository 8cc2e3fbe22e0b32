/** Problem 6: permission to use a key without permission to see it, through the front door. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { freePort } from '@scopegate/lab'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { signingClient } from './keys/signing-client.ts'
import { filesContaining, textsIn } from './operating/find-text.ts'
import { createOperator, type RunningServer } from './operating/operator.ts'

const openssl = spawnSync('openssl', ['version']).status === 0
const needsOpenssl = openssl ? {} : { skip: 'no `openssl` on this machine' }

const AUDIENCE = 'https://partner.example/token'
const PASSPHRASE = 'correct horse battery staple'
const operator = createOperator()
const env = {
  APP_LAB: 'the-secret-of-app-lab-of-thirty-two',
  APP_OTHER: 'the-secret-of-app-other-thirty-two',
  APP_ROLE: 'the-secret-of-app-role-of-thirty-two',
  EDITOR: 'the-secret-of-the-editor-thirty-two',
}
const config = (more = '') => `
clients:
  - { id: app-lab, secret: env:APP_LAB, scopes: admin/keys.sign, grants: [client_credentials] }
  - { id: app-other, secret: env:APP_OTHER, scopes: admin/keys.sign, grants: [client_credentials] }
  - { id: app-role, secret: env:APP_ROLE, roles: [signers], scopes: admin/keys.sign, grants: [client_credentials] }
  - { id: editor, secret: env:EDITOR, scopes: "admin/keys.read admin/keys.write admin/keys.sign admin/keys.export", grants: [client_credentials] }
${more}`

let server: RunningServer
const seen: string[] = []
const clientOf = (id: string, secret: string) => signingClient(server.url, { id, secret }, seen)
const appLab = () => clientOf('app-lab', env.APP_LAB)
const path = (name: string) => operator.path(name)

async function scopegate(...args: string[]) {
  const ran = await operator.scopegate(...args)
  seen.push(ran.out, ran.err)
  assert.equal(ran.code, 0, `${args.join(' ')}\n${ran.out}${ran.err}`)
  return ran.out
}

function keyPair(name: string): void {
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', `/O=Clinic/CN=${name}`],
      ...['-days', '365', '-keyout', path(`${name}.pem`), '-out', path(`${name}.crt`)],
    ],
    { stdio: 'ignore' },
  )
}

before(async () => {
  operator.file('scopegate.yaml', config())
  server = await operator.up({ config: 'scopegate.yaml', env, port: await freePort() })
  if (!openssl) return
  keyPair('partner1')
  await scopegate(
    'key',
    'import',
    'partner1',
    '--file',
    'partner1.pem',
    '--certificate',
    'partner1.crt',
  )
  await scopegate(
    ...['key', 'grant', 'partner1', '--client', 'app-lab', '--issuer', 'lab', '--subject', 'lab'],
    ...['--audience', AUDIENCE, '--claim', 'tenant=north', '--max-seconds', '300'],
  )
})

test(
  'a client with a grant gets a JWT that jose and openssl verify with the certificate',
  needsOpenssl,
  async () => {
    const { status, json } = await appLab().sign('partner1', { aud: AUDIENCE, sub: 'lab' })
    assert.equal(status, 200, JSON.stringify(json))
    const certificate = new X509Certificate(readFileSync(path('partner1.crt')))
    const { payload, protectedHeader } = await jwtVerify(json.jwt, certificate.publicKey, {
      issuer: 'lab',
      audience: AUDIENCE,
      requiredClaims: ['jti', 'iat', 'exp', 'sub'],
    })
    assert.equal(Number(payload.exp) - Number(payload.iat), 300)
    const sha256 = createHash('sha256').update(certificate.raw).digest('base64url')
    assert.deepEqual(protectedHeader, {
      typ: 'JWT',
      'x5t#S256': sha256,
      alg: 'RS256',
      kid: json.kid,
    })
    const [header, claims, signature = ''] = json.jwt.split('.')
    writeFileSync(path('signed'), `${header}.${claims}`)
    writeFileSync(path('sig'), Buffer.from(signature, 'base64url'))
    writeFileSync(path('pub'), certificate.publicKey.export({ format: 'pem', type: 'spki' }))
    const said = execFileSync('openssl', [
      ...['dgst', '-sha256', '-verify', path('pub'), '-signature', path('sig'), path('signed')],
    ])
    assert.match(String(said), /Verified OK/)
  },
)

test(
  'a grant of a role is for the clients that have the role in the configuration',
  needsOpenssl,
  async () => {
    const ofRole = clientOf('app-role', env.APP_ROLE)
    assert.equal((await ofRole.sign('partner1', { aud: AUDIENCE })).status, 403)
    const grant = ['key', 'grant', 'partner1', '--role', 'signers']
    await scopegate(...grant, '--issuer', 'of-the-role', '--audience', AUDIENCE)
    const signed = await ofRole.sign('partner1', { aud: AUDIENCE })
    assert.equal(signed.status, 200, JSON.stringify(signed.json))
    assert.equal(decodeJwt(signed.json.jwt).iss, 'of-the-role')
    const own = await appLab().sign('partner1', { aud: AUDIENCE })
    assert.equal(decodeJwt(own.json.jwt).iss, 'lab', 'the grant of the client itself goes first')
    assert.equal((await clientOf('app-other', env.APP_OTHER).sign('partner1', {})).status, 403)
    assert.equal((await ofRole.admin('GET', '/keys/partner1')).status, 200)
  },
)

test('x5t and x5c are there when they are asked for', needsOpenssl, async () => {
  const { json } = await appLab().sign('partner1', {
    claims: { aud: AUDIENCE },
    header: { x5t: true, x5c: true },
  })
  const { raw } = new X509Certificate(readFileSync(path('partner1.crt')))
  const { x5t, x5c } = decodeProtectedHeader(json.jwt)
  assert.equal(x5t, createHash('sha1').update(raw).digest('base64url'))
  assert.deepEqual(x5c, [raw.toString('base64')])
})

for (const [what, body, pattern] of [
  [
    'another audience',
    { aud: 'https://evil.example' },
    /`aud` is `"https:\/\/evil.example"`.*partner.example\/token/,
  ],
  ['a second audience', { aud: [AUDIENCE, 'https://evil.example'] }, /`aud`/],
  ['another subject', { sub: 'root' }, /`sub` is `"root"`.*`lab`/],
  ['another issuer', { iss: 'root' }, /`iss` is `"root"`.*`lab`/],
  [
    'a longer life',
    { exp: Math.floor(Date.now() / 1000) + 86_400 },
    /`exp` is \d+ seconds from now.*300 seconds/,
  ],
  ['a claim that was not granted', { admin: true }, /`admin` is not granted.*tenant/],
  ['another value of a claim', { tenant: 'south' }, /`tenant` is `"south"`.*"north"/],
  ['a jti of its own', { jti: 'x' }, /`jti` is not granted.*set by this server/],
  ['an algorithm', { claims: {}, header: { alg: 'PS256' } }, /`alg` is `"PS256"`.*RS256/],
  ['a type', { claims: {}, header: { typ: 'at+jwt' } }, /`typ` is `"at\+jwt"`.*JWT/],
  ['a kid', { claims: {}, header: { kid: 'x' } }, /`kid`/],
] as const) {
  test(`${what} is refused with 403, naming what is allowed`, needsOpenssl, async () => {
    const { status, json } = await appLab().sign('partner1', body)
    assert.equal(status, 403)
    assert.match(`${json.detail} ${json.fix}`, pattern)
    assert.equal(json.jwt, undefined)
  })
}

test('the user of a key sees its public part and nothing else of it', needsOpenssl, async () => {
  const lab = appLab()
  const shown = await lab.admin('GET', '/keys/partner1')
  assert.equal(shown.status, 200)
  assert.equal(shown.json.keys[0].public_jwk.kty, 'RSA')
  assert.equal(shown.json.keys[0].public_jwk.d, undefined)
  for (const [method, where] of [
    ['GET', '/keys/partner1/export'],
    ['GET', '/keys/partner1/private'],
    ['POST', '/keys/partner1/export'],
    ['GET', '/keys'],
    ['DELETE', '/keys/partner1'],
  ] as const) {
    assert.equal((await lab.admin(method, where)).status, 403, `${method} ${where}`)
  }
})

test(
  'a client without a grant is refused, and is not told which keys there are',
  needsOpenssl,
  async () => {
    const other = clientOf('app-other', env.APP_OTHER)
    assert.equal((await other.admin('GET', '/keys/partner1')).status, 403)
    const here = await other.sign('partner1', { aud: AUDIENCE })
    const nowhere = await other.sign('partner9', { aud: AUDIENCE })
    assert.equal(here.status, 403)
    assert.equal(nowhere.status, 403)
    assert.equal(here.json.detail.replace('partner1', 'partner9'), nowhere.json.detail)
  },
)

test(
  'an export is refused even to who has its scope, until the configuration allows it; then it is encrypted',
  needsOpenssl,
  async () => {
    const passphrase = { passphrase: PASSPHRASE }
    const ask = () =>
      clientOf('editor', env.EDITOR).admin(
        'POST',
        '/keys/partner1/export',
        passphrase,
        'admin/keys.export',
      )
    const refused = await ask()
    assert.equal(refused.status, 403)
    assert.match(refused.text, /gives no private key away.*keyStore\.allowExport/)
    operator.file('scopegate.yaml', config('keyStore: { allowExport: true }'))
    server.child.kill('SIGHUP')
    let allowed = await ask()
    for (let round = 0; round < 1200 && allowed.status === 403; round++) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      allowed = await ask()
    }
    assert.equal(allowed.status, 200, allowed.text)
    const key = createPrivateKey({ key: allowed.json.encrypted_pkcs8, ...passphrase })
    const { publicKey } = new X509Certificate(readFileSync(path('partner1.crt')))
    assert.ok(createPublicKey(key).equals(publicKey))
    operator.file('scopegate.yaml', config())
    server.child.kill('SIGHUP')
  },
)

test('a generated key is verified by its published key set alone, and a rotation breaks nothing', async () => {
  await scopegate('key', 'generate', 'epic', '--type', 'ec-p384', '--alg', 'ES384')
  await scopegate(
    'key',
    'grant',
    'epic',
    '--client',
    'app-lab',
    '--audience',
    AUDIENCE,
    '--issuer',
    'app',
  )
  const address = `${server.url}/keys/epic/jwks.json`
  const before = await appLab().sign('epic', {})
  const published = await fetch(address)
  assert.match(published.headers.get('cache-control') ?? '', /^public, max-age=\d+$/)
  const { keys } = (await published.json()) as { keys: { alg: string; d?: string }[] }
  assert.deepEqual(
    keys.map(({ alg, d }) => [alg, d]),
    [
      ['ES384', undefined],
      ['ES384', undefined],
    ],
  )
  const unchanged = { 'if-none-match': published.headers.get('etag') ?? '' }
  assert.equal((await fetch(address, { headers: unchanged })).status, 304)
  // As a verifier that fetched the key set before the rotation and does not fetch it again.
  const verifier = createRemoteJWKSet(new URL(address), { cooldownDuration: 3_600_000 })
  await jwtVerify(before.json.jwt, verifier, { audience: AUDIENCE })
  const early = await operator.scopegate('key', 'rotate', 'epic')
  assert.equal(early.code, 1)
  assert.match(early.err, /published \d+ seconds ago[\s\S]*--now/)
  await scopegate('key', 'rotate', 'epic', '--now')
  const after = await appLab().sign('epic', {})
  assert.notEqual(after.json.kid, before.json.kid)
  await jwtVerify(after.json.jwt, verifier, { audience: AUDIENCE })
  await jwtVerify(before.json.jwt, createRemoteJWKSet(new URL(address)), { audience: AUDIENCE })
  assert.equal((await fetch(`${server.url}/keys/nobody/jwks.json`)).status, 404)
})

test(
  'a PFX is imported with its certificate, and one that has expired signs nothing until it is replaced',
  needsOpenssl,
  async () => {
    execFileSync(
      'openssl',
      [
        ...['req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/O=Clinic/CN=old'],
        ...['-keyout', path('old.pem'), '-out', path('old.csr')],
      ],
      { stdio: 'ignore' },
    )
    execFileSync(
      'openssl',
      [
        ...['x509', '-req', '-in', path('old.csr'), '-signkey', path('old.pem'), '-days', '-1'],
        ...['-out', path('old.crt')],
      ],
      { stdio: 'ignore' },
    )
    execFileSync('openssl', [
      ...['pkcs12', '-export', '-inkey', path('old.pem'), '-in', path('old.crt')],
      ...['-passout', `pass:${PASSPHRASE}`, '-out', path('old.pfx')],
    ])
    operator.file('passphrase', `${PASSPHRASE}\n`)
    const out = await scopegate(
      ...['key', 'import', 'old', '--file', 'old.pfx', '--passphrase-file', 'passphrase'],
    )
    assert.match(out, /warning: the certificate `O=Clinic, CN=old` expired on/)
    assert.match(
      await (await fetch(`${server.url}/metrics`)).text(),
      /expiry_timestamp_seconds\{key="old",state="current"\} \d+/,
    )
    const doctor = await operator.scopegate('doctor', '--running')
    assert.match(`${doctor.out}${doctor.err}`, /certificate of old/)
    await scopegate('key', 'grant', 'old', '--client', 'app-lab', '--audience', AUDIENCE)
    const refused = await appLab().sign('old', {})
    assert.equal(refused.status, 409)
    assert.match(refused.json.detail, /expired on \d{4}-\d\d-\d\d: nothing is signed/)
    // A new certificate for the same key.
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-key', path('old.pem'), '-subj', '/O=Clinic/CN=new', '-days', '90'],
        ...['-out', path('new.crt')],
      ],
      { stdio: 'ignore' },
    )
    await scopegate('key', 'certificate', 'old', '--file', 'new.crt')
    const signed = await appLab().sign('old', {})
    const { publicKey } = new X509Certificate(readFileSync(path('new.crt')))
    await jwtVerify(signed.json.jwt, publicKey)
    const mismatch = await operator.scopegate('key', 'certificate', 'old', '--file', 'partner1.crt')
    assert.match(mismatch.err, /neither the current nor the next key/)
  },
)

test('the command line signs with a grant of its own', async () => {
  await scopegate('key', 'generate', 'cli-key', '--type', 'ed25519', '--alg', 'EdDSA')
  await scopegate(
    'key',
    'grant',
    'cli-key',
    '--client',
    'scopegate-cli',
    '--audience',
    AUDIENCE,
    '--claim',
    'x',
  )
  const jwt = await scopegate('key', 'sign', 'cli-key', '--claim', 'x=1', '--typ', 'JWT')
  assert.equal(decodeJwt(jwt.trim()).x, '1')
  assert.match(await scopegate('key', 'list'), /cli-key +EdDSA/)
  assert.match(
    await scopegate('key', 'csr', 'cli-key', '--subject', 'CN=x'),
    /BEGIN CERTIFICATE REQUEST/,
  )
  await scopegate('key', 'revoke', 'cli-key', '--client', 'scopegate-cli')
  assert.equal((await operator.scopegate('key', 'sign', 'cli-key')).code, 1)
  await scopegate('key', 'remove', 'cli-key')
})

test('a client that is removed leaves no grant behind for the next of its name', async () => {
  await scopegate('key', 'generate', 'inherited', '--type', 'ec-p256', '--alg', 'ES256')
  const add = () =>
    scopegate(...['client', 'add', 'heir', '--id', 'heir', '--scopes', 'admin/keys.sign', '--json'])
  const first = JSON.parse(await add())
  await scopegate('key', 'grant', 'inherited', '--client', first.client_id, '--audience', AUDIENCE)
  await scopegate('client', 'remove', first.client_id)
  const shown = JSON.parse(await scopegate('key', 'show', 'inherited', '--json'))
  assert.deepEqual(shown.grants, [])
})

test(
  'after all that, no answer, log, file or backup holds a private key, and the audit is intact',
  needsOpenssl,
  async () => {
    await scopegate('audit', 'verify')
    const jwk = createPrivateKey(readFileSync(path('partner1.pem'))).export({ format: 'jwk' })
    const bytes = Buffer.from(jwk.d ?? '', 'base64url').subarray(8, 40)
    const prime = Buffer.from(jwk.p ?? '', 'base64url').subarray(8, 40)
    const texts = new Map([
      ['BEGIN PRIVATE KEY', 'BEGIN PRIVATE KEY'],
      ['BEGIN RSA PRIVATE KEY', 'BEGIN RSA PRIVATE KEY'],
      ['d in hex', bytes.toString('hex')],
      ['d in base64url', (jwk.d ?? '').slice(8, 60)],
      ['p in hex', prime.toString('hex')],
      ['p in base64url', (jwk.p ?? '').slice(8, 60)],
      ['passphrase', PASSPHRASE],
    ])
    assert.deepEqual(textsIn(`${seen.join('\n')}${server.stdout()}${server.stderr()}`, texts), [])
    await server.stop()
    assert.deepEqual([...filesContaining(server.dir, texts)], [])
    // The search takes bytes as well as text.
    const raw = new Map<string, never>([
      ['d', bytes as never],
      ['p', prime as never],
    ])
    assert.deepEqual([...filesContaining(server.dir, raw)], [])
    const args = ['backup', 'keys.backup', '--data', 'data', '--config', 'scopegate.yaml']
    const backedUp = await operator.run(args, { env })
    assert.equal(backedUp.code, 0, backedUp.err)
    const backup = readFileSync(path('keys.backup'))
    assert.deepEqual(textsIn(backup, texts), [])
    assert.ok(!backup.includes(bytes) && !backup.includes(prime))
  },
)
