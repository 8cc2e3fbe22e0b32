/** Two servers on one database: the same keys, the same grants, every signature on record. */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { after, test } from 'node:test'
import { freePort } from '@scopegate/lab'
import { createLogger, type RunningServer, readConfig, startServer } from '@scopegate/server'
import { emptyTestDatabase } from '@scopegate/storage/testing'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import pg from 'pg'
import { signingClient } from './keys/signing-client.ts'

const AUDIENCE = 'https://partner.example/token'
const SECRET = 'a-secret-of-the-conformance-suite'
const folder = mkdtempSync(join(tmpdir(), 'scopegate-keys-'))
// Dropped last: what is connected to it ends first.
const drops: (() => Promise<void>)[] = []
const database = await emptyTestDatabase({ after: (drop) => void drops.push(drop) })
const ports = [await freePort(), await freePort()]
const url = `http://127.0.0.1:${ports[0]}`
const listenUrls = ports.map((port) => `http://127.0.0.1:${port}`)

const pem = (key: KeyObject) => String(key.export({ format: 'pem', type: 'pkcs8' }))
const declared = [1, 2].map(() => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
const logged: string[] = []

function write(current: KeyObject, next?: KeyObject): void {
  writeFileSync(join(folder, 'current.pem'), pem(current))
  if (next) writeFileSync(join(folder, 'next.pem'), pem(next))
  for (const [index, port] of ports.entries()) {
    writeFileSync(
      join(folder, `server-${index}.yaml`),
      `server: { url: "${url}", listen: "127.0.0.1:${port}" }
storage: { dir: data, url: env:DATABASE }
clients:
  - { id: signer, secret: env:SECRET, grants: [client_credentials], scopes: admin/keys.sign }
  - { id: editor, secret: env:SECRET, grants: [client_credentials], scopes: admin/keys.read admin/keys.write }
keyStore: { signaturesPerMinute: 100000 }
keys:
  - name: declared
    privateKey: file:current.pem
    algorithms: [PS256, RS256]
${next ? '    next: { privateKey: "file:next.pem" }' : ''}
    grants:
      - { client: signer, issuer: signer, subject: [a, b], audience: ${AUDIENCE}, headers: [jku], types: [JWT, secevent+jwt] }
`,
    )
  }
}

const log = createLogger({
  level: 'info',
  format: 'json',
  stream: new Writable({
    write(chunk, _encoding, done) {
      logged.push(String(chunk))
      done()
    },
  }),
})
write(declared[0]!, declared[1])
const servers: RunningServer[] = []
for (const index of [0, 1]) {
  const read = () =>
    readConfig({ configFile: join(folder, `server-${index}.yaml`) }, { DATABASE: database, SECRET })
  servers.push(await startServer(read(), { sample: false, log, holder: `keys-${index}`, read }))
}
const pool = new pg.Pool({ connectionString: database })
after(async () => {
  await pool.end()
  for (const server of servers) await server.close()
  for (const drop of drops) await drop()
  rmSync(folder, { recursive: true, force: true })
})

const at = (id: string) =>
  listenUrls.map((base) => signingClient(base, { id, secret: SECRET }, [], url))
const [here, there] = at('signer')
const [editor] = at('editor')
const editing = 'admin/keys.write'

async function made(name: string): Promise<void> {
  const key = { name, generate: 'ec-p256', algorithms: ['ES256'] }
  assert.equal((await editor!.admin('POST', '/keys', key, editing)).status, 201)
  const grant = { client: 'signer', issuer: 'signer', audience: AUDIENCE }
  const granted = await editor!.admin('POST', `/keys/${name}/grants`, grant, editing)
  assert.equal(granted.status, 200, granted.text)
}

test('a grant that one server gives is good at the other at once, and gone at once when revoked', async () => {
  await made('shared')
  assert.equal((await there!.sign('shared', {})).status, 200)
  const grant = '/keys/shared/grants/client/signer'
  assert.equal((await editor!.admin('DELETE', grant, undefined, editing)).status, 200)
  assert.equal((await there!.sign('shared', {})).status, 403)
})

test('every signature and every refusal leaves an audit entry, with a hash of the claims and not the claims', async () => {
  await made('audited')
  const { json } = await there!.sign('audited', { aud: AUDIENCE })
  await there!.sign('audited', { aud: AUDIENCE, admin: 'somebody private' })
  const { rows } = await pool.query<{ content: string }>(
    `SELECT content FROM audit_admin WHERE content::json ->> 'target' = 'key/audited'
        AND content::json ->> 'action' = 'key.sign' ORDER BY at_ms, seq`,
  )
  const [signed, refused] = rows.map(({ content }) => JSON.parse(content))
  const claims = Buffer.from(json.jwt.split('.')[1], 'base64url')
  assert.equal(signed.clientId, 'signer')
  assert.equal(signed.decision, 'permitted')
  assert.deepEqual(signed.detail, {
    kid: json.kid,
    alg: 'ES256',
    jti: json.jti,
    aud: AUDIENCE,
    exp: json.expires_at,
    grant: 'client:signer',
    claimsSha256: createHash('sha256').update(claims).digest('base64url'),
  })
  assert.equal(refused.decision, 'refused')
  assert.equal(refused.status, 403)
  assert.deepEqual(refused.detail, { refused: ['admin'] })
  assert.ok(!rows.some(({ content }) => content.includes('somebody private')))
})

test('a signature whose audit entry cannot be written is not given away', async () => {
  await made('unrecorded')
  await pool.query('ALTER TABLE audit_admin RENAME TO audit_admin_away')
  try {
    const { status, text } = await here!.sign('unrecorded', {})
    assert.ok(status >= 500, String(status))
    assert.ok(!text.includes('eyJ'))
  } finally {
    await pool.query('ALTER TABLE audit_admin_away RENAME TO audit_admin')
  }
  assert.equal((await here!.sign('unrecorded', {})).status, 200)
})

test('under rotations at both servers every token verifies, with the key set of either', async () => {
  await made('busy')
  let stop = false
  const work = [here!, there!, here!, there!].map(async (client, index) => {
    // As a verifier does it: fetched when a key is unknown, at most once in a while.
    const keySet = createRemoteJWKSet(
      new URL(`${listenUrls[(index + 1) % 2]}/keys/busy/jwks.json`),
      {
        cooldownDuration: 0,
      },
    )
    let verified = 0
    while (!stop || verified === 0) {
      const { status, json, text } = await client.sign('busy', {})
      assert.equal(status, 200, text)
      await jwtVerify(json.jwt, keySet, { issuer: 'signer', audience: AUDIENCE })
      verified += 1
    }
    return verified
  })
  for (let round = 0; round < 6; round++) {
    const rotated = await editor!.admin('POST', '/keys/busy/rotate', { force: true }, editing)
    assert.equal(rotated.status, 200, rotated.text)
  }
  stop = true
  for (const verified of await Promise.all(work)) assert.ok(verified > 0)
})

test('a declared key signs by its template, and can be changed nowhere but there', async () => {
  const { json } = await there!.sign('declared', {
    claims: { sub: 'b' },
    header: { jku: true, typ: 'secevent+jwt' },
  })
  assert.deepEqual(
    [decodeProtectedHeader(json.jwt).alg, decodeProtectedHeader(json.jwt).jku],
    ['PS256', `${url}/keys/declared/jwks.json`],
  )
  assert.equal(decodeJwt(json.jwt).sub, 'b')
  const missing = await there!.sign('declared', {})
  assert.match(missing.json.fix, /`sub`: `a`, `b`/)
  for (const [method, path, body] of [
    ['POST', '/keys/declared/rotate', { force: true }],
    ['DELETE', '/keys/declared', undefined],
    ['POST', '/keys/declared/grants', { client: 'editor', audience: 'x' }],
  ] as const) {
    const refused = await editor!.admin(method, path, body, editing)
    assert.equal(refused.status, 409, path)
    assert.match(refused.json.fix, /scopegate\.yaml/)
  }
})

test('a declared key that takes the place of another is in force after a reload; what was signed still verifies', async () => {
  const keySet = () => createRemoteJWKSet(new URL(`${listenUrls[1]}/keys/declared/jwks.json`))
  const before = await here!.sign('declared', { sub: 'a' })
  const known = keySet()
  await jwtVerify(before.json.jwt, known)
  write(declared[1]!)
  for (const server of servers) assert.equal(await server.reload('test'), 'applied')
  const signed = await here!.sign('declared', { sub: 'a' })
  assert.notEqual(signed.json.kid, before.json.kid)
  // The verifier of before knows it as the next one.
  await jwtVerify(signed.json.jwt, known)
  await jwtVerify(before.json.jwt, keySet())
})

test('no log line holds a private key', () => {
  const text = logged.join('')
  for (const key of declared) {
    const { d = '' } = key.export({ format: 'jwk' })
    assert.ok(!text.includes('PRIVATE KEY'))
    assert.ok(!text.includes(d.slice(10, 60)))
    assert.ok(!text.includes(pem(key).split('\n')[3] ?? 'missing'))
  }
})
