import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { describe, test } from 'node:test'
import { createLabIssuer, createLabKey, publicJwk, signed } from '@scopegate/lab'
import {
  createDpopNonces,
  createTokenVerifier,
  createUsedProofs,
  type DpopOptions,
  genericIssuer,
  keysFromSet,
  rfc9068Issuer,
} from '@scopegate/token-verify'

const NOW = 1_800_000_000
const ISSUER = 'https://as.example'
const BASE = 'https://api.example/fhir'
const URL_READ = `${BASE}/Patient/1`
const here = { audiences: [BASE], issuers: [ISSUER] }

const lab = createLabIssuer({ issuer: ISSUER, now: () => NOW })
const clientKey = createLabKey('ES256')
const otherKey = createLabKey('ES256')
type Jwk = Record<string, string>
const thumbprintOf = (key: object) => {
  const { crv, kty, x, y } = publicJwk(key as never) as Jwk
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
}
const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url')

const bound = lab.mintToken({ audience: BASE, claims: { cnf: { jkt: thumbprintOf(clientKey) } } })
const bearer = lab.mintToken({ audience: BASE })

interface Changes {
  readonly key?: ReturnType<typeof createLabKey>
  readonly header?: object
  readonly claims?: object
}
function proofFor(token: string, { key = clientKey, header = {}, claims = {} }: Changes = {}) {
  const { kid: _, alg: __, use: ___, ...jwk } = publicJwk(key) as Jwk
  return signed(
    { typ: 'dpop+jwt', alg: 'ES256', jwk, ...header },
    { jti: randomUUID(), htm: 'GET', htu: URL_READ, iat: NOW, ath: sha256(token), ...claims },
    key,
  )
}

function verifierWith(options: Partial<DpopOptions> = {}, now = () => NOW) {
  return createTokenVerifier({
    issuers: [rfc9068Issuer(ISSUER, keysFromSet(lab.keySet))],
    clockToleranceSeconds: 30,
    now,
    dpop: { usedProofs: createUsedProofs(() => now() * 1000), ...options },
  })
}
const request = (proof?: string, url = URL_READ, method = 'GET') => ({
  request: { method, url, ...(proof === undefined ? {} : { proof }) },
})

describe('a token bound to a key (DPoP)', () => {
  const verifier = verifierWith()
  const verify = (proof: string | undefined, token = bound, url?: string, method?: string) =>
    verifier.verify(`DPoP ${token}`, here, request(proof, url, method))
  const codeOf = async (verdict: ReturnType<typeof verify>) => {
    const { ok, checks } = await verdict
    return ok ? 'ok' : checks.at(-1)?.code
  }

  test('is accepted with a proof of that key, for this request', async () => {
    const verdict = await verify(proofFor(bound))
    assert.ok(verdict.ok, JSON.stringify(verdict.checks))
    assert.ok(verdict.checks.some(({ name, outcome }) => name === 'binding' && outcome === 'pass'))
  })

  test('is accepted when query, fragment, case of host and default port differ', async () => {
    for (const url of [`${URL_READ}?_pretty=true`, 'https://API.example:443/fhir/Patient/1']) {
      assert.equal(await codeOf(verify(proofFor(bound), bound, url)), 'ok')
    }
    const claims = { htu: `${URL_READ}?a=b#c` }
    assert.equal(await codeOf(verify(proofFor(bound, { claims }))), 'ok')
  })

  test('is accepted whatever the case of the scheme', async () => {
    const verdict = await verifier.verify(`dpop ${bound}`, here, request(proofFor(bound)))
    assert.ok(verdict.ok)
  })

  test('sent as Bearer is refused, with and without a proof', async () => {
    for (const proof of [undefined, proofFor(bound)]) {
      const verdict = await verifier.verify(`Bearer ${bound}`, here, request(proof))
      assert.equal(verdict.ok, false)
      assert.equal(verdict.checks.at(-1)?.code, 'dpop_scheme_missing')
    }
  })

  test('a token that is not bound is refused under the scheme DPoP', async () => {
    assert.equal(await codeOf(verify(proofFor(bearer), bearer)), 'dpop_token_unbound')
  })

  test('an unbound token as Bearer is accepted, whatever header DPoP comes with it', async () => {
    assert.ok((await verifier.verify(`Bearer ${bearer}`, here, request('nonsense'))).ok)
  })

  test('without a proof is refused', async () => {
    assert.equal(await codeOf(verify(undefined)), 'dpop_proof_missing')
    assert.equal(await codeOf(verify('')), 'dpop_proof_missing')
  })

  const { kid: _, alg: __, use: ___, ...ownJwk } = publicJwk(clientKey) as Jwk
  for (const [what, changes, said] of [
    ['of another key', { key: otherKey }, /another key/],
    [
      'that shows another key than it is signed with',
      { key: otherKey, header: { jwk: ownJwk } },
      /another signature/,
    ],
    ['of another type', { header: { typ: 'JWT' } }, /dpop\+jwt/],
    ['without a type', { header: { typ: undefined } }, /no `typ`/],
    ['with alg none', { header: { alg: 'none' } }, /alg/],
    ['with HS256', { header: { alg: 'HS256' } }, /alg/],
    ['with an alg that does not fit the key', { header: { alg: 'RS256' } }, /another type/],
    ['without a key', { header: { jwk: undefined } }, /jwk/],
    ['with the private key', { header: { jwk: clientKey } }, /private/],
    ['of another method', { claims: { htm: 'POST' } }, /htm/],
    ['of the method in lower case', { claims: { htm: 'get' } }, /htm/],
    ['of another address', { claims: { htu: `${BASE}/Patient/2` } }, /htu/],
    ['of another host', { claims: { htu: 'https://evil.example/fhir/Patient/1' } }, /htu/],
    ['of another scheme', { claims: { htu: 'http://api.example/fhir/Patient/1' } }, /htu/],
    ['without an address', { claims: { htu: undefined } }, /htu/],
    ['without ath', { claims: { ath: undefined } }, /ath/],
    ['of another token', { claims: { ath: sha256(bearer) } }, /ath/],
    ['without jti', { claims: { jti: undefined } }, /jti/],
    ['with a number for jti', { claims: { jti: 7 } }, /jti/],
    ['without iat', { claims: { iat: undefined } }, /iat/],
    ['that is too old', { claims: { iat: NOW - 61 } }, /61 s/],
    ['from the future', { claims: { iat: NOW + 61 } }, /-61 s/],
  ] as const) {
    test(`a proof ${what} is refused`, async () => {
      const verdict = await verify(proofFor(bound, changes as Changes))
      assert.equal(verdict.ok, false)
      const failure = verdict.checks.at(-1)
      assert.equal(failure?.code, 'dpop_proof_invalid')
      assert.match(`${failure?.expected} ${failure?.got}`, said)
    })
  }

  test('two proofs, or what is no JWT, are refused', async () => {
    for (const proof of [
      `${proofFor(bound)}, ${proofFor(bound)}`,
      'x',
      'a.b.c',
      'e30.e30.',
      bound,
    ]) {
      assert.equal(await codeOf(verify(proof)), 'dpop_proof_invalid')
    }
  })

  test('a proof works once; a refused request does not use it up', async () => {
    const proof = proofFor(bound)
    assert.equal(await codeOf(verify(proof, bound, URL_READ, 'POST')), 'dpop_proof_invalid')
    assert.equal(await codeOf(verify(proof)), 'ok')
    assert.equal(await codeOf(verify(proof)), 'dpop_proof_replayed')
  })

  test('of fifty at once with one proof, one is accepted', async () => {
    const proof = proofFor(bound)
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => verify(proof)))
    assert.equal(verdicts.filter(({ ok }) => ok).length, 1)
  })

  test('is refused where the request is not known, or DPoP not offered, or the binding is another', async () => {
    const proof = proofFor(bound)
    const unknown = await verifier.verify(`DPoP ${bound}`, here, {})
    assert.equal(unknown.checks.at(-1)?.code, 'binding_unsupported')
    const plain = createTokenVerifier({
      issuers: [rfc9068Issuer(ISSUER, keysFromSet(lab.keySet))],
      clockToleranceSeconds: 30,
      now: () => NOW,
    })
    const notOffered = await plain.verify(`DPoP ${bound}`, here, request(proof))
    assert.equal(notOffered.checks.at(-1)?.code, 'scheme_unsupported')
    for (const cnf of [
      { 'x5t#S256': '' },
      { jkt: thumbprintOf(clientKey), 'x5t#S256': 7 },
      { jkt: thumbprintOf(clientKey), kid: 'x' },
      { 'x5t#S256': 'x', jku: 'https://x.example' },
      {},
      'x',
      null,
      { jkt: '' },
    ]) {
      const token = lab.mintToken({ audience: BASE, claims: { cnf } })
      assert.equal(await codeOf(verify(proofFor(token), token)), 'binding_unsupported')
    }
  })

  test('and to a certificate needs both', async () => {
    const token = lab.mintToken({
      audience: BASE,
      claims: { cnf: { jkt: thumbprintOf(clientKey), 'x5t#S256': 'good' } },
    })
    const ask = (clientCertificate?: string) =>
      verifier.verify(`DPoP ${token}`, here, {
        ...request(proofFor(token)),
        ...(clientCertificate !== undefined && { clientCertificate }),
      })
    assert.equal(await codeOf(ask('good')), 'ok')
    assert.equal(await codeOf(ask('other')), 'certificate_mismatch')
    assert.equal(await codeOf(ask()), 'certificate_missing')
  })

  test('is refused for its own faults first, under either scheme', async () => {
    const expired = lab.wrong.expired({ audience: BASE, claims: { cnf: { jkt: 'x' } } })
    assert.equal(await codeOf(verify(undefined, expired)), 'token_expired')
  })

  test('keys of other types work', async () => {
    for (const alg of ['RS256', 'EdDSA', 'ES384'] as const) {
      const key = createLabKey(alg)
      const { kid: _, alg: __, use: ___, ...jwk } = publicJwk(key) as Jwk
      const members = {
        RS256: ['e', 'kty', 'n'],
        EdDSA: ['crv', 'kty', 'x'],
        ES384: ['crv', 'kty', 'x', 'y'],
      }[alg]
      const jkt = sha256(
        JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]]))),
      )
      const token = lab.mintToken({ audience: BASE, claims: { cnf: { jkt } } })
      const proof = proofFor(token, { key, header: { alg } })
      assert.equal(await codeOf(verify(proof, token)), 'ok', alg)
    }
  })
})

describe('nonces of DPoP', () => {
  const state = { now: NOW }
  const now = () => state.now
  const nonces = createDpopNonces({ secret: new Uint8Array(32).fill(9), nowMs: () => now() * 1000 })
  const strict = verifierWith({ nonces, requireNonce: true }, now)
  const verify = (claims: object) =>
    strict.verify(`DPoP ${bound}`, here, request(proofFor(bound, { claims })))

  test('are asked for, and given with the refusal', async () => {
    const refused = await verify({})
    assert.equal(refused.checks.at(-1)?.code, 'dpop_nonce_needed')
    assert.equal(refused.dpopNonce, nonces.current())
    const accepted = await verify({ nonce: refused.dpopNonce })
    assert.ok(accepted.ok)
    assert.equal(accepted.dpopNonce, undefined)
  })

  test('make up for the clock of the client', async () => {
    assert.ok((await verify({ nonce: nonces.current(), iat: NOW - 86_400 })).ok)
  })

  test('go on for one step, with the next one told, and then end', async () => {
    const nonce = nonces.current()
    state.now += 60
    const accepted = await verify({ nonce })
    assert.ok(accepted.ok)
    assert.equal(accepted.dpopNonce, nonces.current())
    state.now += 60
    assert.equal((await verify({ nonce })).checks.at(-1)?.code, 'dpop_nonce_needed')
    state.now = NOW
  })

  test('of another secret, or of another kind, are refused', async () => {
    const others = createDpopNonces({ secret: new Uint8Array(32), nowMs: () => now() * 1000 })
    for (const nonce of [others.current(), '', 7, null]) {
      assert.equal((await verify({ nonce })).ok, false)
    }
  })

  test('are the same in every process with the secret', () => {
    const twin = createDpopNonces({ secret: new Uint8Array(32).fill(9), nowMs: () => now() * 1000 })
    assert.ok(twin.accepts(nonces.current()))
  })
})

describe('used proofs', () => {
  test('are remembered for as long as asked, and not for ever', () => {
    const state = { nowMs: 0 }
    const proofs = createUsedProofs(() => state.nowMs)
    for (const start of [0, 50_000, 119_000]) {
      state.nowMs = start
      assert.equal(proofs.consume(`p${start}`, 120), true)
      state.nowMs = start + 119_999
      assert.equal(proofs.consume(`p${start}`, 120), false)
    }
    state.nowMs = 1_000_000
    assert.equal(proofs.consume('p0', 120), true)
  })
})

describe('opaque tokens', () => {
  const state = { now: NOW, asked: 0, claims: undefined as Record<string, unknown> | undefined }
  const good = {
    sub: 'u_1',
    client_id: 'app',
    aud: BASE,
    scope: 'patient/*.rs',
    iat: NOW,
    exp: NOW + 300,
    jti: 'hash',
    patient: 'p1',
    grant_id: 'g1',
  }
  const verifier = createTokenVerifier({
    issuers: [
      {
        ...rfc9068Issuer(ISSUER, keysFromSet(lab.keySet)),
        resolveOpaque: async (token) => {
          state.asked += 1
          return token === 'known-opaque-token' ? state.claims : undefined
        },
      },
      genericIssuer('https://other.example', keysFromSet(lab.keySet)),
    ],
    clockToleranceSeconds: 30,
    now: () => state.now,
    dpop: { usedProofs: createUsedProofs(() => 0) },
  })
  const verify = (token = 'known-opaque-token', expected = here) =>
    verifier.verify(`Bearer ${token}`, expected)

  test('pass the same list of checks, where those of a JWT do not apply', async () => {
    state.claims = good
    const verdict = await verify()
    assert.ok(verdict.ok)
    const { fingerprint, claims, ...token } = verdict.token
    assert.ok(fingerprint)
    assert.equal(claims, good)
    assert.deepEqual(token, {
      issuer: ISSUER,
      subject: 'u_1',
      clientId: 'app',
      audience: [BASE],
      scope: 'patient/*.rs',
      issuedAt: NOW,
      expiresAt: NOW + 300,
      jti: 'hash',
      grantId: 'g1',
      patient: 'p1',
    })
    const of = (name: string) => verdict.checks.find((check) => check.name === name)
    for (const name of [
      'token_present',
      'format',
      'issuer_known',
      'times',
      'audience',
      'binding',
      'revocation',
    ]) {
      assert.equal(of(name)?.outcome, 'pass', name)
    }
    for (const name of ['algorithm', 'key', 'signature', 'type']) {
      assert.match(of(name)?.got ?? '', /not applicable/, name)
    }
  })

  test('are asked for again after a few seconds, so that their end is noticed', async () => {
    state.claims = good
    await verify()
    const before = state.asked
    for (let i = 0; i < 10; i++) await verify()
    assert.equal(state.asked, before)
    state.now += 5
    state.claims = undefined
    const verdict = await verify()
    assert.equal(verdict.checks.at(-1)?.code, 'token_unknown')
    state.now = NOW
  })

  test('that are unknown are refused with a code of their own', async () => {
    assert.equal((await verify('never-issued')).checks.at(-1)?.code, 'token_unknown')
  })

  test('are judged by audience, times, binding and trust', async () => {
    const codeOf = async (claims: Record<string, unknown>, expected = here) => {
      state.now += 5
      state.claims = { ...good, exp: state.now + 300, ...claims }
      return (await verify(undefined, expected)).checks.at(-1)?.code
    }
    assert.equal(await codeOf({ aud: 'https://else.example' }), 'audience_mismatch')
    assert.equal(await codeOf({ exp: state.now - 60 }), 'token_expired')
    assert.equal(await codeOf({ cnf: { jkt: 'x' } }), 'binding_unsupported')
    const others = { ...here, issuers: ['https://other.example'] }
    assert.equal((await verify('unseen-token', others)).checks.at(-1)?.code, 'token_not_jwt')
    state.now = NOW
  })
})
