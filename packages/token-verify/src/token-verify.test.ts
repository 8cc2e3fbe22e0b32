import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { CHECK_ORDER } from '@scopegate/checks'
import { createLabIssuer, createLabKey, type LabAlgorithm, signed } from '@scopegate/lab'
import {
  createRemoteKeySet,
  createTokenVerifier,
  fetchJson,
  genericIssuer,
  KeysUnavailable,
  keysFromFile,
  keysFromSet,
  keysFromUrl,
  rfc9068Issuer,
} from '@scopegate/token-verify'
import fc from 'fast-check'

const NOW = 1_800_000_000
const BASE = 'https://api.example/fhir/r4'
const ISSUER = 'https://idp.example'
const here = { audiences: [BASE], issuers: [ISSUER] }
const key = createLabKey('ES256')
const lab = createLabIssuer({ issuer: ISSUER, keys: [key], now: () => NOW })
const other = createLabIssuer({ issuer: 'https://other.example', now: () => NOW })
const good = { audience: BASE, scope: 'patient/*.rs', patient: 'p1', fhirUser: 'Practitioner/1' }

function verifierAt(now = NOW) {
  return createTokenVerifier({
    issuers: [
      rfc9068Issuer(ISSUER, keysFromSet(lab.keySet, 'the key set')),
      rfc9068Issuer(other.issuer, keysFromSet(other.keySet)),
    ],
    clockToleranceSeconds: 30,
    now: () => now,
  })
}
const verifier = verifierAt()

async function refusal(token: string, now = NOW) {
  const verdict = await verifierAt(now).verify(`Bearer ${token}`, here)
  assert.ok(!verdict.ok)
  const failure = verdict.checks.at(-1)
  assert.equal(failure?.outcome, 'fail')
  // Every check before the failed one passed, in the order of the checks.
  const order = verdict.checks.map(({ name }) => (CHECK_ORDER as readonly string[]).indexOf(name))
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  )
  assert.ok(verdict.checks.slice(0, -1).every(({ outcome }) => outcome === 'pass'))
  assert.ok(!JSON.stringify(verdict).includes(token.slice(-20)) || token.length < 20)
  return failure
}

describe('a good token', () => {
  test('an empty `fhirUser` says that there is a user, none does not', async () => {
    for (const [fhirUser, hasUser] of [
      ['', true],
      [null, undefined],
      [undefined, undefined],
    ] as const) {
      const token = lab.mintToken({ audience: BASE, scope: 'system/*.rs', claims: { fhirUser } })
      const verdict = await verifier.verify(`Bearer ${token}`, here)
      assert.ok(verdict.ok)
      assert.equal(verdict.token.fhirUser, undefined)
      assert.equal(verdict.token.hasUser, hasUser)
    }
  })

  test('is verified with every check passed in order', async () => {
    const verdict = await verifier.verify(`Bearer ${lab.mintToken(good)}`, here)
    assert.ok(verdict.ok)
    assert.deepEqual(
      verdict.checks.map(({ name, outcome }) => `${name} ${outcome}`),
      CHECK_ORDER.slice(0, 11).map((name) => `${name} pass`),
    )
    const { fingerprint, jti, claims, ...token } = verdict.token
    assert.deepEqual(token, {
      issuer: ISSUER,
      subject: 'lab-user',
      clientId: 'lab',
      audience: [BASE],
      scope: 'patient/*.rs',
      patient: 'p1',
      fhirUser: 'Practitioner/1',
      issuedAt: NOW,
      expiresAt: NOW + 300,
    })
    assert.match(fingerprint, /^[A-Za-z0-9_-]{22}$/)
    assert.ok(jti)
    assert.equal(claims?.iss, ISSUER)
  })

  for (const alg of ['RS256', 'RS384', 'PS256', 'ES256', 'ES384', 'EdDSA'] as LabAlgorithm[]) {
    test(`signed with ${alg} is verified`, async () => {
      const issuer = createLabIssuer({ issuer: ISSUER, keys: [createLabKey(alg)], now: () => NOW })
      const verify = createTokenVerifier({
        issuers: [rfc9068Issuer(ISSUER, keysFromSet(issuer.keySet))],
        clockToleranceSeconds: 30,
        now: () => NOW,
      })
      const verdict = await verify.verify(`bearer ${issuer.mintToken(good)}`, here)
      assert.ok(verdict.ok, JSON.stringify(verdict.checks))
    })
  }

  test('is accepted with a final slash on the audience, and among several audiences', async () => {
    for (const audience of [`${BASE}/`, ['https://x.example', BASE]]) {
      const verdict = await verifier.verify(`Bearer ${lab.mintToken({ ...good, audience })}`, here)
      assert.ok(verdict.ok)
    }
  })
})

describe('how the token is sent', () => {
  const token = lab.mintToken(good)
  for (const [what, authorization, code, presentation] of [
    ['no header', undefined, 'token_missing', {}],
    ['an empty header', ' ', 'token_missing', {}],
    ['basic authentication', 'Basic YTpi', 'scheme_unsupported', {}],
    ['the token without a scheme', token, 'authorization_malformed', {}],
    ['Bearer without a token', 'Bearer', 'authorization_malformed', {}],
    ['a token in quotes', `Bearer "${token}"`, 'authorization_malformed', {}],
    ['two headers joined', `Bearer ${token}, Bearer ${token}`, 'several_credentials', {}],
    ['two headers', `Bearer ${token}`, 'several_credentials', { authorizationRepeated: true }],
    ['a token in the URL', undefined, 'token_in_query', { tokenInParameters: true }],
    ['17 KiB', `Bearer ${'x'.repeat(17 * 1024)}`, 'token_too_long', {}],
  ] as const) {
    test(`${what}: ${code}`, async () => {
      const verdict = await verifier.verify(authorization, here, presentation)
      assert.ok(!verdict.ok)
      assert.equal(verdict.checks.at(-1)?.code, code)
      assert.ok(!JSON.stringify(verdict).includes(token.slice(-40)))
    })
  }
})

describe('a wrong token is refused by the check that it fails', () => {
  const p = key.kid
  for (const [what, token, code, detail] of [
    ['an opaque token', 'abcdef', 'token_not_jwt', /opaque/],
    ['text in three parts', 'a.b.c', 'token_not_jwt', /header/],
    ['five parts', 'a.b.c.d.e', 'token_encrypted', /./],
    [
      'an unknown crit',
      lab.mintToken({ ...good, header: { crit: ['x'], x: 1 } }),
      'critical_header_unknown',
      /./,
    ],
    [
      'b64: false',
      lab.mintToken({ ...good, header: { b64: false } }),
      'critical_header_unknown',
      /./,
    ],
    ['no issuer', lab.mintToken({ ...good, claims: { iss: undefined } }), 'issuer_missing', /./],
    [
      'an issuer with a slash more',
      lab.mintToken({ ...good, claims: { iss: `${ISSUER}/` } }),
      'issuer_unknown',
      /idp\.example\//,
    ],
    [
      'an issuer that is configured, not trusted here',
      other.mintToken(good),
      'issuer_not_trusted_here',
      /other\.example/,
    ],
    ['alg none', lab.wrong.unsigned(good), 'algorithm_none', /./],
    ['alg nOnE', lab.mintToken({ ...good, header: { alg: 'nOnE' } }), 'algorithm_none', /./],
    [
      'HS256 with the public key',
      lab.wrong.hmacWithPublicKey(good),
      'algorithm_not_allowed',
      /HS256/,
    ],
    [
      'alg constructor',
      lab.mintToken({ ...good, header: { alg: 'constructor' } }),
      'algorithm_not_allowed',
      /constructor/,
    ],
    [
      'an unknown kid',
      lab.mintToken({ ...good, header: { kid: 'nobody' } }),
      'key_unknown',
      /nobody/,
    ],
    [
      'a kid that is no text',
      lab.mintToken({ ...good, header: { kid: [p] } }),
      'key_unknown',
      /kid/,
    ],
    [
      'a typ that is no text',
      lab.mintToken({ ...good, header: { typ: ['at+jwt'] } }),
      'type_wrong',
      /not a text/,
    ],
    ['nbf null', lab.mintToken({ ...good, claims: { nbf: null } }), 'claim_invalid', /nbf/],
    [
      'alg of another key type',
      lab.mintToken({ ...good, header: { alg: 'RS256' } }),
      'key_unknown',
      new RegExp(p),
    ],
    ['a forged signature', lab.wrong.forged(good), 'signature_invalid', /./],
    [
      'a changed claim',
      lab.wrong.tampered(good, { scope: 'system/*.cruds' }),
      'signature_invalid',
      /./,
    ],
    ['an ID token', lab.wrong.idToken(good), 'type_id_token', /./],
    [
      'an ID token dressed as at+jwt',
      lab.mintToken({ ...good, claims: { at_hash: 'x' } }),
      'type_id_token',
      /./,
    ],
    ['no typ', lab.mintToken({ ...good, header: { typ: undefined } }), 'type_wrong', /at\+jwt/],
    [
      'a logout token',
      lab.mintToken({ ...good, header: { typ: 'logout+jwt' } }),
      'type_wrong',
      /logout/,
    ],
    ['no exp', lab.mintToken({ ...good, claims: { exp: undefined } }), 'claim_missing', /exp/],
    [
      'no client_id',
      lab.mintToken({ ...good, claims: { client_id: undefined } }),
      'claim_missing',
      /client_id/,
    ],
    [
      'client_id 7',
      lab.mintToken({ ...good, claims: { client_id: 7 } }),
      'claim_invalid',
      /client_id/,
    ],
    [
      'exp as text',
      lab.mintToken({ ...good, claims: { exp: '1900000000' } }),
      'claim_invalid',
      /exp/,
    ],
    ['expired', lab.wrong.expired(good), 'token_expired', /2027-01-15T/],
    ['not yet valid', lab.wrong.notYetValid(good), 'token_not_yet_valid', /2027-01-15T/],
    [
      'issued in the future',
      lab.mintToken({ ...good, claims: { iat: NOW + 120 } }),
      'token_issued_in_future',
      /./,
    ],
    [
      'no audience',
      lab.mintToken({ ...good, claims: { aud: undefined } }),
      'audience_missing',
      /api\.example/,
    ],
    [
      'another audience',
      lab.mintToken({ ...good, audience: 'https://else.example' }),
      'audience_mismatch',
      /api\.example.*else\.example/,
    ],
    [
      'an audience that only begins so',
      lab.mintToken({ ...good, audience: `${BASE}/evil` }),
      'audience_mismatch',
      /evil/,
    ],
    [
      'a token bound to a key',
      lab.mintToken({ ...good, claims: { cnf: { jkt: 'x' } } }),
      'binding_unsupported',
      /./,
    ],
  ] as const) {
    test(`${what}: ${code}`, async () => {
      const failure = await refusal(token)
      assert.equal(failure?.code, code)
      assert.match(JSON.stringify(failure), detail)
      assert.ok(failure?.fix)
    })
  }

  test("a different kid for the same forged text never reaches another issuer's key", async () => {
    const crossed = signed(
      { typ: 'at+jwt', alg: 'ES256', kid: key.kid },
      { iss: other.issuer, sub: 's', aud: BASE, exp: NOW + 60, iat: NOW, jti: 'j', client_id: 'c' },
      key,
    )
    const verdict = await verifier.verify(`Bearer ${crossed}`, { ...here, issuers: [other.issuer] })
    assert.ok(!verdict.ok)
    assert.equal(verdict.checks.at(-1)?.code, 'key_unknown')
  })

  test('times tolerate 30 s either way and no more', async () => {
    const token = lab.mintToken({ ...good, expiresInSeconds: 100 })
    const at = async (now: number) => (await verifierAt(now).verify(`Bearer ${token}`, here)).ok
    assert.equal(await at(NOW + 100 + 29), true)
    assert.equal(await at(NOW + 100 + 30), false)
    assert.equal(await at(NOW - 30), true)
    assert.equal(await at(NOW - 31), false)
  })

  test('any text at all gets a verdict, never an exception', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 200, unit: 'binary' }), async (text) => {
        for (const header of [text, `Bearer ${text}`, `Bearer ${lab.mintToken(good)}${text}`]) {
          const verdict = await verifier.verify(header, here)
          if (text.trim() !== '') assert.ok(!verdict.ok)
        }
      }),
    )
  })

  test('any JSON as header and claims gets a verdict, never an exception, never a pass', async () => {
    const part = fc.jsonValue().map((v) => Buffer.from(JSON.stringify(v)).toString('base64url'))
    await fc.assert(
      fc.asyncProperty(part, part, part, async (a, b, c) => {
        assert.ok(!(await verifier.verify(`Bearer ${a}.${b}.${c}`, here)).ok)
      }),
    )
  })
})

describe('other issuers', () => {
  const verify = createTokenVerifier({
    issuers: [genericIssuer(ISSUER, keysFromSet(lab.keySet))],
    clockToleranceSeconds: 30,
    now: () => NOW,
  })
  const check = async (header: object, claims: object) => {
    const token = lab.mintToken({
      audience: BASE,
      header: { typ: undefined, ...header },
      claims: { client_id: undefined, jti: undefined, ...claims },
    })
    return verify.verify(`Bearer ${token}`, here)
  }

  test('their access tokens need no at+jwt; scp, azp and cid are understood', async () => {
    const verdict = await check({ typ: 'JWT' }, { scp: ['system/Patient.r', 'b'], cid: 'okta' })
    assert.ok(verdict.ok)
    assert.equal(verdict.token.scope, 'system/Patient.r b')
    assert.equal(verdict.token.clientId, 'okta')
  })

  for (const [what, claims] of [
    ['with a nonce and no scope', { nonce: 'n' }],
    ['with at_hash', { at_hash: 'x', scope: 'openid' }],
    ['of Keycloak (`typ: ID`)', { typ: 'ID', scope: 'openid' }],
    ['with azp and no scope', { azp: 'app' }],
  ] as const) {
    test(`their ID token ${what} is refused`, async () => {
      const verdict = await check({ typ: 'JWT' }, claims)
      assert.ok(!verdict.ok)
      assert.equal(verdict.checks.at(-1)?.code, 'type_id_token')
    })
  }

  test('their refresh and logout tokens are refused', async () => {
    for (const claims of [
      { typ: 'Refresh', scope: 'x' },
      { events: {}, scope: 'x' },
    ]) {
      const verdict = await check({ typ: 'JWT' }, claims)
      assert.ok(!verdict.ok)
      assert.equal(verdict.checks.at(-1)?.code, 'type_wrong')
    }
  })
})

describe('remembered tokens', () => {
  test('are still judged by time, audience, trust and revocation', async () => {
    let now = NOW
    let revoked = false
    const verify = createTokenVerifier({
      issuers: [rfc9068Issuer(ISSUER, keysFromSet(lab.keySet))],
      clockToleranceSeconds: 30,
      now: () => now,
      isRevoked: () => revoked,
    })
    const header = `Bearer ${lab.mintToken(good)}`
    const code = async (expected = here) =>
      (await verify.verify(header, expected)).checks.at(-1)?.code
    assert.equal(await code(), undefined)
    assert.equal(await code({ ...here, audiences: ['https://b.example'] }), 'audience_mismatch')
    assert.equal(await code({ ...here, issuers: [] }), 'issuer_not_trusted_here')
    revoked = true
    assert.equal(await code(), 'token_revoked')
    revoked = false
    now = NOW + 331
    assert.equal(await code(), 'token_expired')
  })

  test('do not outlive the key in the key set', async () => {
    let nowMs = NOW * 1000
    let set: object = lab.keySet
    const verify = createTokenVerifier({
      issuers: [
        rfc9068Issuer(
          ISSUER,
          createRemoteKeySet({
            url: 'https://idp.example/keys',
            network: { allowLoopback: false, allowPrivateHosts: [] },
            nowMs: () => nowMs,
            fetch: async () => ({ value: set, maxAgeSeconds: 60 }),
          }),
        ),
      ],
      clockToleranceSeconds: 30,
      now: () => NOW,
    })
    const header = `Bearer ${lab.mintToken(good)}`
    assert.ok((await verify.verify(header, here)).ok)
    set = { keys: [] }
    assert.ok((await verify.verify(header, here)).ok, 'the set is still fresh')
    nowMs += 61_000
    const verdict = await verify.verify(header, here)
    assert.equal(verdict.checks.at(-1)?.code, 'key_unknown')
  })
})

describe('a key set by URL', () => {
  const network = { allowLoopback: false, allowPrivateHosts: [] }
  function remote(answers: () => Promise<{ value: unknown; maxAgeSeconds?: number }>, more = {}) {
    const state = { nowMs: 0, fetches: 0 }
    const keys = createRemoteKeySet({
      url: 'https://idp.example/keys',
      network,
      nowMs: () => state.nowMs,
      fetch: () => {
        state.fetches += 1
        return answers()
      },
      ...more,
    })
    return { state, keys }
  }

  test('is fetched once for a hundred callers, and kept for its max-age', async () => {
    const { state, keys } = remote(async () => ({ value: lab.keySet, maxAgeSeconds: 120 }))
    await Promise.all(Array.from({ length: 100 }, () => keys.find('ES256', key.kid)))
    state.nowMs = 95_000
    await keys.find('ES256', key.kid)
    assert.equal(state.fetches, 1)
    state.nowMs = 221_000
    await keys.find('ES256', key.kid)
    assert.equal(state.fetches, 2)
  })

  test('is fetched ahead of its end while it is used, without anybody waiting', async () => {
    const held = Promise.withResolvers<void>()
    let answers = 0
    const { state, keys } = remote(async () => {
      answers += 1
      if (answers > 1) await held.promise
      return { value: lab.keySet, maxAgeSeconds: 100 }
    })
    await keys.find('ES256', key.kid)
    state.nowMs = 81_000
    for (let i = 0; i < 10; i++) assert.equal((await keys.find('ES256', key.kid)).length, 1)
    assert.equal(state.fetches, 2)
    held.resolve()
  })

  test('is fetched again for an unknown kid, at most once per window', async () => {
    const { state, keys } = remote(async () => ({ value: lab.keySet, maxAgeSeconds: 3600 }))
    await keys.find('ES256', key.kid)
    state.nowMs = 31_000
    for (let i = 0; i < 50; i++) assert.deepEqual(await keys.find('ES256', `k${i}`), [])
    assert.equal(state.fetches, 2)
  })

  test('a key that comes right after a fetch is found at its first token, by all who ask', async () => {
    const newKey = createLabKey('ES256')
    const next = createLabIssuer({ issuer: ISSUER, keys: [newKey] })
    let served: object = lab.keySet
    const { state, keys } = remote(async () => ({ value: served, maxAgeSeconds: 3600 }))
    await keys.find('ES256', key.kid)
    served = { keys: [...lab.keySet.keys, ...next.keySet.keys] }
    state.nowMs = 1000
    const found = await Promise.all(
      Array.from({ length: 20 }, () => keys.find('ES256', newKey.kid)),
    )
    assert.ok(found.every(({ length }) => length === 1))
    assert.equal(state.fetches, 2)
    for (let i = 0; i < 50; i++) assert.deepEqual(await keys.find('ES256', `k${i}`), [])
    assert.equal(state.fetches, 2, 'the window is over for everybody')
  })

  test('an outage is an error, not a bad token; stale keys serve only as long as allowed', async () => {
    let down = false
    const answers = async () => {
      if (down) throw new Error('connect ECONNREFUSED')
      return { value: lab.keySet, maxAgeSeconds: 60 }
    }
    const strict = remote(answers)
    const patient = remote(answers, { staleSeconds: 600 })
    for (const { keys } of [strict, patient]) await keys.find('ES256', key.kid)
    down = true
    for (const { state } of [strict, patient]) state.nowMs = 100_000
    await assert.rejects(strict.keys.find('ES256', key.kid), KeysUnavailable)
    assert.equal((await patient.keys.find('ES256', key.kid)).length, 1)
    patient.state.nowMs = 700_000
    await assert.rejects(patient.keys.find('ES256', key.kid), KeysUnavailable)
  })

  for (const [what, value] of [
    ['that is no key set', { hello: 1 }],
    ['that shows a private key', { keys: [key] }],
    ['with one kid twice', { keys: [lab.keySet.keys[0], lab.keySet.keys[0]] }],
  ] as const) {
    test(`an answer ${what} is refused whole`, async () => {
      const { keys } = remote(async () => ({ value }))
      await assert.rejects(keys.find('ES256', key.kid), KeysUnavailable)
    })
  }

  for (const url of [
    'http://idp.example/keys',
    'https://127.0.0.1/keys',
    'https://10.1.2.3/keys',
    'https://169.254.169.254/latest',
    'https://[::1]/keys',
    'https://[::ffff:10.0.0.1]/keys',
    'https://[fd00::1]/',
    'https://localhost/keys',
    'https://user:pw@idp.example/',
    'file:///etc/passwd',
    'ftp://idp.example/',
    'nonsense',
  ]) {
    test(`${url} is never fetched`, async () => {
      await assert.rejects(fetchJson(url, network), (error: Error) => {
        assert.match(error.message, /https|loopback|private|link-local|password|not a URL/)
        return true
      })
    })
  }

  test('private addresses can be allowed, cloud metadata never', async () => {
    const open = { allowLoopback: true, allowPrivateHosts: 'any' as const }
    await assert.rejects(fetchJson('https://169.254.169.254/', open), /link-local/)
    const limits = { timeoutMs: 200, maxBytes: 1000 }
    await assert.rejects(
      fetchJson('http://127.0.0.1:9/', open, limits),
      /ECONNREFUSED|bad port|no answer/,
    )
  })

  test('a key file is read again when it changes', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'scopegate-keys-')), 'keys.json')
    let nowMs = 0
    const keys = keysFromFile(file, { nowMs: () => nowMs })
    assert.equal(keys.description, 'file keys.json', 'callers do not read where the file lies')
    await assert.rejects(keys.find('ES256', undefined), /does not exist/)
    writeFileSync(file, JSON.stringify(lab.keySet))
    assert.equal((await keys.find('ES256', key.kid)).length, 1)
    writeFileSync(file, JSON.stringify({ keys: [] }))
    nowMs += 5000
    assert.equal((await keys.find('ES256', key.kid)).length, 0)
  })

  for (const kind of ['file', 'URL'])
    test(`a key that is gone from a ${kind} ends tokens that were verified with it`, async () => {
      const file = join(mkdtempSync(join(tmpdir(), 'scopegate-keys-')), 'keys.json')
      let nowMs = NOW * 1000
      let set: unknown = lab.keySet
      const publish = (published: unknown) => {
        set = published
        writeFileSync(file, JSON.stringify(published))
      }
      publish(lab.keySet)
      const clock = { nowMs: () => nowMs }
      const keys =
        kind === 'file'
          ? keysFromFile(file, clock)
          : keysFromUrl('https://idp.example/keys', {
              ...clock,
              network,
              fetch: async () => ({ value: set, maxAgeSeconds: 60 }),
            })
      const own = createTokenVerifier({
        issuers: [rfc9068Issuer(ISSUER, keys)],
        clockToleranceSeconds: 30,
        now: () => NOW,
      })
      const authorization = `Bearer ${lab.mintToken(good)}`
      assert.ok((await own.verify(authorization, here)).ok)
      publish({ keys: [] })
      nowMs += 61_000
      // No other token makes the set be read again.
      let verdict = await own.verify(authorization, here)
      for (let i = 0; i < 100 && verdict.ok; i++) {
        await new Promise((resolve) => setTimeout(resolve, 10))
        verdict = await own.verify(authorization, here)
      }
      assert.ok(!verdict.ok)
    })

  test('a key outage makes verify throw', async () => {
    const verify = createTokenVerifier({
      issuers: [
        rfc9068Issuer(
          ISSUER,
          keysFromUrl('https://idp.example/keys', {
            network,
            nowMs: () => 0,
            fetch: () => Promise.reject(new Error('down')),
          }),
        ),
      ],
      clockToleranceSeconds: 30,
      now: () => NOW,
    })
    await assert.rejects(verify.verify(`Bearer ${lab.mintToken(good)}`, here), KeysUnavailable)
  })
})
