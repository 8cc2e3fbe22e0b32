import assert from 'node:assert/strict'
import { createHash, createPrivateKey, sign } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { createLabIssuer, createLabKey, type LabTokenOptions, signed } from '@scopegate/lab'
import { openGuardedServer } from './support/open-guarded-server.ts'
import { serveDocuments } from './support/serve-documents.ts'

// Scenarios S29 … S37 over the whole server. Those of one process without a network are in
// packages/token-verify: S35, S39 and S40 (token-verify.test.ts, dpop.test.ts), every cell.
const web = await serveDocuments()
after(() => web.close())
const ISSUER = `${web.origin}/a`
const SECOND = `${web.origin}/b`
const key = createLabKey('RS256')
// Another issuer with a key of the same name.
const twin = { ...createLabKey('RS256'), kid: key.kid }
const issuer = createLabIssuer({ issuer: ISSUER, keys: [key] })
const second = createLabIssuer({ issuer: SECOND, keys: [twin] })
const keySets = { a: issuer.keySet, b: second.keySet }

for (const name of ['a', 'b'] as const) {
  web.documents.set(`/${name}/.well-known/openid-configuration`, () => ({
    body: { issuer: `${web.origin}/${name}`, jwks_uri: `${web.origin}/${name}/keys` },
  }))
  web.documents.set(`/${name}/keys`, () => ({
    headers: { 'cache-control': 'max-age=600' },
    body: keySets[name],
  }))
}

const server = await openGuardedServer(`
issuers: [{ issuer: "${ISSUER}" }, { issuer: "${SECOND}" }]
fhir: { r4: { trust: ["${ISSUER}", "${SECOND}"] } }
limits: { authenticationFailuresPerMinute: 100000 }
`)
after(() => server.close())

const wish = (more: Partial<LabTokenOptions> = {}): LabTokenOptions => ({
  audience: server.fhirUrl,
  scope: 'system/*.rs',
  ...more,
})
const good = issuer.mintToken(wish())
const status = async (token: string) => (await server.fhir('/Patient', token)).status
const encode = (text: string) => Buffer.from(text).toString('base64url')

/** A token over these very texts, signed well. */
function overTexts(header: string, claims: string): string {
  const input = `${encode(header)}.${encode(claims)}`
  const signature = sign('sha256', Buffer.from(input), createPrivateKey({ key, format: 'jwk' }))
  return `${input}.${signature.toString('base64url')}`
}
const header = JSON.stringify({ typ: 'at+jwt', alg: 'RS256', kid: key.kid })
const claims = Buffer.from(good.split('.')[1] ?? '', 'base64url').toString()

test('a good token of each issuer is taken', async () => {
  assert.equal(await status(good), 200)
  assert.equal(await status(second.mintToken(wish())), 200)
  assert.equal(await status(overTexts(header, claims)), 200, 'the way of the tests below')
})

describe('S29, S30: signatures', () => {
  test('none in all casings, without a signature, and confused with HMAC', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', ' none']) {
      const [, body] = good.split('.')
      const head = encode(JSON.stringify({ typ: 'at+jwt', alg, kid: key.kid }))
      for (const tail of ['', good.split('.')[2]]) {
        assert.equal(await status(`${head}.${body}.${tail}`), 401, alg)
      }
    }
    assert.equal(await status(good.slice(0, good.lastIndexOf('.') + 1)), 401)
    assert.equal(await status(issuer.wrong.hmacWithPublicKey(wish())), 401)
    for (const alg of ['HS256', 'HS384', 'HS512', 'RS1', 'ES256', 'dir', 'RSA-OAEP', 'toString']) {
      assert.equal(await status(issuer.mintToken(wish({ header: { alg } }))), 401, alg)
    }
  })

  test('each byte of the signature counts, for remembered tokens as well', async () => {
    const [head, body, tail = ''] = good.split('.')
    const bytes = Buffer.from(tail, 'base64url')
    for (const at of [0, 1, 100, bytes.length - 1]) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      assert.equal(await status(`${head}.${body}.${changed.toString('base64url')}`), 401)
    }
  })
})

describe('S31: names and addresses in the header', () => {
  const before = () => web.asked.length

  test('a `kid` that is a path, a statement, an address or long reaches nothing', async () => {
    await status(issuer.mintToken(wish({ header: { kid: 'warms up the window' } })))
    const asked = before()
    for (const kid of [
      '../../../../dev/null',
      '/etc/passwd',
      "' OR '1'='1",
      `${web.origin}/evil`,
      'x'.repeat(10_000),
      '__proto__',
      'constructor',
      '',
    ]) {
      assert.equal(await status(issuer.mintToken(wish({ header: { kid } }))), 401, kid.slice(0, 20))
    }
    for (const kid of [null, 0, {}, ['a']]) {
      assert.notEqual(await status(issuer.wrong.forged(wish({ header: { kid } }))), 200)
    }
    assert.equal(web.asked.length, asked, 'nobody was asked')
  })

  test('`jku`, `x5u`, `jwk` and `x5c` of the token are not looked at', async () => {
    const mine = createLabKey('RS256')
    const { d: _, ...open } = mine as Record<string, unknown>
    const asked = before()
    for (const extra of [
      { jku: `${web.origin}/evil/keys` },
      { x5u: `${web.origin}/evil/cert.pem` },
      { jku: 'file:///etc/passwd' },
      { jwk: open },
      { x5c: ['MIIB'] },
      { x5t: createHash('sha1').update('x').digest('base64url') },
    ]) {
      const forged = signed(
        { typ: 'at+jwt', alg: 'RS256', kid: key.kid, ...extra },
        JSON.parse(claims),
        mine,
      )
      assert.equal(await status(forged), 401, Object.keys(extra)[0])
      const own = issuer.mintToken(wish({ header: extra }))
      assert.equal(await status(own), 200, 'the key is that of the issuer')
    }
    assert.equal(web.asked.length, asked, 'nobody was asked')
  })
})

describe('S32: malformed tokens', () => {
  for (const [what, token] of [
    ['two parts', good.split('.').slice(0, 2).join('.')],
    ['four parts', `${good}.x`],
    ['five parts', `${good}.x.y`],
    ['a claim twice', overTexts(header, claims.replace('{', '{"scope":"system/*.cruds",'))],
    ['a claim twice, once escaped', overTexts(header, claims.replace('{', '{"\\u0073ub":"x",'))],
    ['a header member twice', overTexts(header.replace('{', '{"alg":"none",'), claims)],
    ['`crit`', overTexts(header.replace('{', '{"crit":["exp"],'), claims)],
    ['`b64`', overTexts(header.replace('{', '{"b64":false,'), claims)],
    ['claims that are a list', overTexts(header, `[${claims}]`)],
    ['deep claims', overTexts(header, `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`)],
    [
      'a claim `__proto__` with a scope',
      overTexts(header, '{"__proto__":{"scope":"system/*.rs"}}'),
    ],
    ['`exp` as a text', issuer.mintToken(wish({ claims: { exp: '4102444800' } }))],
    ['`exp` beyond numbers', overTexts(header, claims.replace(/"exp":\d+/, '"exp":1e999'))],
    ['`nbf` far ahead', issuer.mintToken(wish({ claims: { nbf: 4_102_444_800 } }))],
  ] as const) {
    test(`${what}: 401`, async () => {
      const { status: answered, challenge } = await server.fhir('/Patient', token)
      assert.equal(answered, 401)
      assert.match(challenge, /^Bearer /)
    })
  }

  test('padding is no part of a token: 400', async () => {
    const [head, ...rest] = good.split('.')
    assert.equal(await status(`${head}=.${rest.join('.')}`), 400)
  })

  test('of 20 KiB: 401; of 64 KiB: refused before anything reads it', async () => {
    assert.equal(await status(issuer.mintToken(wish({ claims: { pad: 'x'.repeat(14_000) } }))), 401)
    assert.equal(await status(issuer.mintToken(wish({ claims: { pad: 'x'.repeat(48_000) } }))), 431)
    assert.equal(await status(good), 200)
  })
})

describe('S36, S37: whose token it is, and what kind', () => {
  test('two issuers that share a `kid`: only the key of the named one counts', async () => {
    const mixed = (iss: string, by: typeof issuer) => by.mintToken(wish({ claims: { iss } }))
    assert.equal(await status(mixed(SECOND, issuer)), 401)
    assert.equal(await status(mixed(ISSUER, second)), 401)
  })

  test('issuers are compared exactly', async () => {
    for (const iss of [`${ISSUER}/`, ISSUER.toUpperCase(), `${ISSUER}#`, [ISSUER], null, '']) {
      assert.equal(await status(issuer.mintToken(wish({ claims: { iss } }))), 401)
    }
  })

  test('ID tokens, logout tokens, refresh tokens and proofs are no access tokens', async () => {
    for (const token of [
      issuer.wrong.idToken(wish()),
      issuer.mintToken(wish({ header: { typ: 'JWT' }, claims: { at_hash: 'x' } })),
      issuer.mintToken(wish({ header: { typ: 'logout+jwt' } })),
      issuer.mintToken(wish({ header: { typ: 'JWT' }, claims: { events: {} } })),
      issuer.mintToken(wish({ header: { typ: 'JWT' }, claims: { typ: 'Refresh' } })),
      issuer.mintToken(wish({ header: { typ: 'dpop+jwt' } })),
      issuer.mintToken(wish({ header: { typ: 'token-introspection+jwt' } })),
    ]) {
      assert.equal(await status(token), 401)
    }
  })
})

describe('S33, S34: keys turn, and the issuer is away', () => {
  test('a flood of unknown keys asks the issuer once, and disturbs no known key', async () => {
    const before = web.count('/a/keys')
    const flood = Array.from({ length: 200 }, (_, at) =>
      status(issuer.mintToken(wish({ header: { kid: `nobody-${at}` } }))),
    )
    const known = Array.from({ length: 20 }, () => status(issuer.mintToken(wish())))
    assert.deepEqual(new Set(await Promise.all(flood)), new Set([401]))
    assert.deepEqual(new Set(await Promise.all(known)), new Set([200]))
    assert.ok(web.count('/a/keys') - before <= 1)
  })

  for (const [what, answer] of [
    ['huge', () => ({ body: `{"keys":[],"pad":"${'x'.repeat(70_000)}"}` })],
    ['moved to another host', () => ({ status: 302, headers: { location: 'http://10.0.0.1/' } })],
    ['no JSON', () => ({ body: '<html>' })],
    ['one with a `kid` twice', () => ({ body: { keys: [...keySets.a.keys, ...keySets.a.keys] } })],
    ['cut off', () => undefined],
    [
      'slower than the limit',
      () => new Promise<object>((done) => setTimeout(done, 4000, {}).unref()),
    ],
  ] as const) {
    test(`a key set that is ${what}: 503 at a cold start, and known tokens go on elsewhere`, async () => {
      const made = await openColdServer(answer as never)
      try {
        const { status: answered, body, challenge } = await made.fhir('/Patient', made.token)
        assert.equal(answered, 503)
        assert.equal(challenge, '', 'nothing is wrong with the token')
        assert.equal(body.issue?.[0]?.code, 'transient')
      } finally {
        await made.close()
      }
    })
  }

  test('metadata of another issuer: 503, and the log says which setting', async () => {
    web.documents.set('/c/.well-known/openid-configuration', () => ({
      body: { issuer: 'https://idp.example/c', jwks_uri: `${web.origin}/a/keys` },
    }))
    const made = await openGuardedServer(`
issuers: [{ issuer: "${web.origin}/c" }]
fhir: { r4: { trust: ["${web.origin}/c"] } }
`)
    try {
      const token = issuer.mintToken(wish({ claims: { iss: `${web.origin}/c` } }))
      assert.equal((await made.fhir('/Patient', token)).status, 503)
      const told = made.log.join('')
      assert.match(told, /belongs to issuer `https:\/\/idp\.example\/c`/)
      assert.match(told, /`aliases`/)
      assert.match(told, /`backchannelUrl`/)
    } finally {
      await made.close()
    }
  })

  async function openColdServer(answer: () => never) {
    const path = `/cold-${crypto.randomUUID()}`
    const cold = createLabIssuer({ issuer: `${web.origin}${path}`, keys: [key] })
    web.documents.set(`${path}/.well-known/openid-configuration`, () => ({
      body: { issuer: cold.issuer, jwks_uri: `${cold.issuer}/keys` },
    }))
    web.documents.set(`${path}/keys`, answer)
    const made = await openGuardedServer(`
issuers: [{ issuer: "${cold.issuer}" }]
fhir: { r4: { trust: ["${cold.issuer}"] } }
`)
    return { ...made, token: cold.mintToken({ audience: made.fhirUrl, scope: 'system/*.rs' }) }
  }
})
