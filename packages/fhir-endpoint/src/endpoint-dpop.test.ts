import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { createLabIssuer, createLabKey, publicJwk, signed } from '@scopegate/lab'
import {
  createDpopNonces,
  createTokenVerifier,
  createUsedProofs,
  keysFromSet,
  rfc9068Issuer,
} from '@scopegate/token-verify'
import { BASE, NOW_MS } from './test-support/endpoint-under-test.ts'
import { seededEndpoint } from './test-support/seeded-endpoint.ts'

const NOW = NOW_MS / 1000
const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url')

const lab = createLabIssuer({ issuer: 'https://idp.example', now: () => NOW })
const key = createLabKey('ES256')
const { crv, kty, x, y } = publicJwk(key) as Record<string, string>
const jkt = sha256(JSON.stringify({ crv, kty, x, y }))
const nonces = createDpopNonces({ secret: new Uint8Array(32), nowMs: () => NOW_MS })
const t = await seededEndpoint(undefined, {
  verifier: createTokenVerifier({
    issuers: [rfc9068Issuer(lab.issuer, keysFromSet(lab.keySet))],
    clockToleranceSeconds: 30,
    now: () => NOW,
    dpop: { usedProofs: createUsedProofs(() => NOW_MS), nonces },
  }),
})

// Opened before the first suite: a suite that ends while the file still waits ends the file.
const asked: string[] = []
const guarded = await seededEndpoint(undefined, {
  isOriginAllowed: (origin) => {
    asked.push(origin)
    return origin === 'https://app.example'
  },
  smartConfiguration: () => Response.json({}, { headers: { 'Access-Control-Allow-Origin': '*' } }),
})

const tokenWith = (claims: object) =>
  lab.mintToken({ audience: BASE, scope: 'system/Observation.rs', claims: { ...claims } })
const bound = tokenWith({ cnf: { jkt } })

function proof(claims: object = {}, token = bound) {
  return signed(
    { typ: 'dpop+jwt', alg: 'ES256', jwk: { crv, kty, x, y } },
    {
      jti: randomUUID(),
      htm: 'GET',
      htu: `${BASE}/Observation/O1`,
      iat: NOW,
      ath: sha256(token),
      ...claims,
    },
    key,
  )
}
const read = (headers: Record<string, string>, path = 'Observation/O1') => t.send(path, { headers })
const challengeOf = ({ headers }: { readonly headers: Headers }) =>
  headers.get('www-authenticate') ?? ''

describe('a token bound to a key, at the FHIR endpoint', () => {
  test('reads with a proof for this address, whatever the query', async () => {
    const answer = await read({ authorization: `DPoP ${bound}`, dpop: proof() })
    assert.equal(answer.status, 200, answer.text)
    const htu = `${BASE}/Observation`
    const search = await read(
      { authorization: `DPoP ${bound}`, dpop: proof({ htu }) },
      'Observation?_count=1',
    )
    assert.equal(search.status, 200, search.text)
  })

  test('is refused without, with a used one, and with one for another address', async () => {
    const authorization = `DPoP ${bound}`
    const used = proof()
    await read({ authorization, dpop: used })
    for (const [dpop, code] of [
      [undefined, 'dpop_proof_missing'],
      [used, 'dpop_proof_replayed'],
      [proof({ htu: `${BASE}/Observation/O2` }), 'dpop_proof_invalid'],
      [proof({ htm: 'POST' }), 'dpop_proof_invalid'],
    ] as const) {
      const answer = await read({ authorization, ...(dpop === undefined ? {} : { dpop }) })
      assert.equal(answer.status, 401)
      assert.equal(answer.json.issue[0].details.coding[0].code, code)
      assert.match(challengeOf(answer), /^DPoP .*error="invalid_dpop_proof".*algs="[^"]*ES256/)
    }
  })

  test('is refused as a bearer token; an unbound one is refused under DPoP', async () => {
    const stolen = await read({ authorization: `Bearer ${bound}`, dpop: proof() })
    assert.equal(stolen.status, 401)
    assert.match(challengeOf(stolen), /^DPoP .*error="invalid_token"/)
    const plain = tokenWith({})
    const answer = await read({ authorization: `DPoP ${plain}`, dpop: proof({}, plain) })
    assert.equal(answer.status, 401)
    assert.equal(answer.json.issue[0].details.coding[0].code, 'dpop_token_unbound')
    assert.equal((await read({ authorization: `Bearer ${plain}` })).status, 200)
  })

  test('is refused for its scopes under its own scheme', async () => {
    const htu = `${BASE}/Patient/P1`
    const answer = await read(
      { authorization: `DPoP ${bound}`, dpop: proof({ htu }) },
      'Patient/P1',
    )
    assert.equal(answer.status, 403)
    assert.match(challengeOf(answer), /^DPoP .*error="insufficient_scope"/)
  })

  test('learns the nonce of the server, on success and when it used an old one', async () => {
    const authorization = `DPoP ${bound}`
    const first = await read({ authorization, dpop: proof() })
    assert.equal(first.headers.get('dpop-nonce'), nonces.current())
    const next = await read({ authorization, dpop: proof({ nonce: nonces.current() }) })
    assert.equal(next.status, 200)
    assert.equal(next.headers.get('dpop-nonce'), null)
    const wrong = await read({ authorization, dpop: proof({ nonce: 'old' }) })
    assert.equal(wrong.status, 401)
    assert.equal(wrong.headers.get('dpop-nonce'), nonces.current())
    assert.match(challengeOf(wrong), /error="use_dpop_nonce"/)
  })

  test('is offered to whoever comes without a token', async () => {
    const challenge = challengeOf(await read({}))
    assert.match(challenge, new RegExp(`^Bearer realm="${BASE}", DPoP realm="${BASE}", algs="`))
    assert.doesNotMatch(challenge, /error/)
  })
})

describe('pages of other origins, where origins are registered', () => {
  const from = (origin: string, path: string, method = 'GET') =>
    guarded.send(path, { method, headers: { origin }, scope: 'system/Observation.rs' })

  test('read the API if theirs is one of them, and nothing else', async () => {
    for (const [origin, allowed] of [
      ['https://app.example', 'https://app.example'],
      ['https://evil.example', null],
      ['https://app.example.evil.example', null],
      ['null', null],
    ] as const) {
      for (const method of ['GET', 'OPTIONS']) {
        const { status, headers } = await from(origin, 'Observation/O1', method)
        assert.equal(status, method === 'GET' ? 200 : 204)
        assert.equal(headers.get('access-control-allow-origin'), allowed, `${method} ${origin}`)
        assert.equal(headers.get('access-control-allow-credentials'), null)
        assert.match(headers.get('vary') ?? '', /Origin/)
      }
    }
  })

  test('read what is public, wherever they come from', async () => {
    asked.length = 0
    for (const path of ['metadata', '.well-known/smart-configuration']) {
      for (const method of ['GET', 'OPTIONS']) {
        const { headers } = await from('https://evil.example', path, method)
        assert.equal(headers.get('access-control-allow-origin'), '*', `${method} ${path}`)
      }
    }
    assert.deepEqual(asked, [])
  })

  test('are not asked for when there is no page', async () => {
    asked.length = 0
    await guarded.send('Observation/O1', { scope: 'system/Observation.rs' })
    assert.deepEqual(asked, [])
  })
})
