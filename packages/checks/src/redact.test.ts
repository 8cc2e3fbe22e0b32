import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSecretName, REDACTED, redact, redactClaims, redactText } from '@scopegate/checks'
import fc from 'fast-check'

const base64url = fc.string({
  unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'),
  minLength: 24,
  maxLength: 80,
})
const jwt = fc
  .tuple(
    fc.constantFrom('RS256', 'ES384', 'none'),
    fc.dictionary(fc.string(), fc.string()),
    base64url,
  )
  .map(([alg, claims, signature]) => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${part({ alg, typ: 'at+jwt' })}.${part({ sub: 'x', ...claims })}.${signature}`
  })
const prose = fc.constantFrom(
  '',
  'x',
  'token-',
  'failed: ',
  'got "',
  "it's (",
  'GET /fhir/r4/Patient?x=',
  '\n',
  'url=https://a.example/?q=1&t=',
  '[',
)

test('no JWT survives, wherever it stands in a text', () => {
  fc.assert(
    fc.property(prose, jwt, prose, (before, token, after) => {
      const clean = redactText(`${before}${token}${after}`)
      for (const part of token.split('.').slice(1)) assert.ok(!clean.includes(part), clean)
    }),
  )
})

test('no bearer token survives, whatever its shape', () => {
  const opaque = fc.oneof(base64url, jwt, fc.uuid())
  const introduction = fc.constantFrom(
    'Bearer ',
    'bearer  ',
    'Authorization: Bearer ',
    'access_token=',
    '?refresh_token=',
    'client_secret=',
    '&client_assertion=',
    'Basic ',
  )
  fc.assert(
    fc.property(prose, introduction, opaque, (before, start, token) => {
      assert.ok(!redactText(`${before}${start}${token} and more`).includes(token))
    }),
  )
})

test('no secret survives under a secret name, at any depth and in any container', () => {
  const name = fc.constantFrom(
    'authorization',
    'Authorization',
    'access_token',
    'clientSecret',
    'client-secret',
    'password',
    'set-cookie',
    'id_token',
    'databasePassword',
    'private_key',
  )
  const wrap = fc.constantFrom<(inner: unknown) => unknown>(
    (inner) => ({ inner }),
    (inner) => [inner],
    (inner) => new Map([['a', inner]]),
    (inner) => new Set([inner]),
    (inner) => Object.assign(new Error('x'), { inner }),
    (inner) => new Error('x', { cause: inner }),
  )
  fc.assert(
    fc.property(
      name,
      base64url,
      fc.array(wrap, { maxLength: 5 }),
      fc.constantFrom('object', 'pair', 'map'),
      (key, secret, wraps, shape) => {
        const holder =
          shape === 'object'
            ? { [key]: secret }
            : shape === 'pair'
              ? [key, secret]
              : new Map([[key, secret]])
        const value = wraps.reduce<unknown>((inner, each) => each(inner), holder)
        assert.ok(!JSON.stringify(redact(value)).includes(secret))
      },
    ),
  )
})

test('a private key survives neither as JWK nor as PEM', () => {
  assert.deepEqual(redact({ kty: 'EC', crv: 'P-256', x: 'eA', d: 'c2VjcmV0' }), {
    kty: 'EC',
    crv: 'P-256',
    x: 'eA',
    d: REDACTED,
  })
  assert.equal(redactText('-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----'), REDACTED)
  assert.equal(redactText('-----BEGIN RSA PRIVATE KEY-----\nMIIE'), REDACTED)
})

test('an authorization code goes, a FHIR code stays', () => {
  assert.deepEqual(redact({ code: 'abc', redirect_uri: 'https://a.example/cb' }), {
    code: REDACTED,
    redirect_uri: 'https://a.example/cb',
  })
  assert.deepEqual(redact({ name: 'scopes', code: 'type_not_granted' }), {
    name: 'scopes',
    code: 'type_not_granted',
  })
  assert.equal(redactText('/cb?code=abc&state=1'), `/cb?code=${REDACTED}&state=1`)
  assert.equal(
    redactText('patient/Observation.rs?code=http://loinc.org|2345-7'),
    'patient/Observation.rs?code=http://loinc.org|2345-7',
  )
})

test('the password of a database address goes, the rest stays', () => {
  assert.equal(
    redactText('connect postgres://me:s3cret@db.example:5432/x'),
    `connect postgres://me:${REDACTED}@db.example:5432/x`,
  )
})

test('cycles, depth, bytes and odd members do not stop it', () => {
  const loop: Record<string, unknown> = { bytes: Buffer.from('secret'), when: new Date(0), big: 1n }
  loop.self = loop
  assert.deepEqual(redact(loop), {
    bytes: '[6 bytes]',
    when: '1970-01-01T00:00:00.000Z',
    big: '1',
    self: '[circular]',
  })
  fc.assert(
    fc.property(
      fc.anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withTypedArray: true,
      }),
      (value) => void JSON.stringify(redact(value)),
    ),
  )
})

test('what is not secret stays as it is', () => {
  const plain = {
    method: 'GET',
    path: '/fhir/r4/Observation',
    status: 404,
    checks: [{ name: 'scopes', outcome: 'pass' }],
    none: null,
  }
  assert.deepEqual(redact(plain), plain)
  assert.ok(!isSecretName('scope') && !isSecretName('code') && !isSecretName('key_id'))
})

test('claims that name a person only show that they are there', () => {
  assert.deepEqual(
    redactClaims({
      iss: 'https://idp.example',
      scope: 'patient/*.rs',
      patient: 'P1',
      sub: 'ana',
      name: 'Ana',
      exp: 1,
    }),
    {
      iss: 'https://idp.example',
      scope: 'patient/*.rs',
      patient: REDACTED,
      sub: REDACTED,
      name: REDACTED,
      exp: 1,
    },
  )
})

test('hostile text of a megabyte takes no longer than it may', () => {
  for (const piece of [
    'a-',
    'ey-',
    'eyJ',
    'token',
    '-----BEGIN PRIVATE KEY-----',
    'a://',
    'bearer ',
  ]) {
    const started = performance.now()
    const clean = redactText(piece.repeat(1_000_000 / piece.length))
    assert.ok(clean.length < 5000)
    assert.ok(performance.now() - started < 1000, piece)
  }
})

test('what a database says of a row that it refused is never shown', () => {
  const error = Object.assign(new Error('null value in column "body" violates a constraint'), {
    code: '23502',
    detail: 'Failing row contains (1, Patient, p1, {"name":[{"family":"Weber"}]}).',
    where: "unnamed portal parameter $1 = 'Weber'",
    internalQuery: "select 'Weber'",
  })
  for (const shown of [redact({ error }), redact(new Error('outer', { cause: error }))]) {
    assert.ok(!JSON.stringify(shown).includes('Weber'))
    assert.match(JSON.stringify(shown), /23502/)
  }
})

test('the reason of a refusal is shown beside the client; an authorization code is not', () => {
  const shown = (code: unknown) => (redact({ clientId: 'a', code }) as Record<string, unknown>).code
  assert.equal(shown('secret_wrong'), 'secret_wrong')
  assert.equal(shown('token_expired'), 'token_expired')
  for (const code of ['SplxlOBeZQQYbYS6WxSbIA', 'secret_wrong_', 'constructor', 42]) {
    assert.equal(shown(code), REDACTED)
  }
})

test('a client secret of this server is known by its shape, wherever somebody typed it', () => {
  const secret = `sgs_${'Zm9v'.repeat(10)}abc`
  assert.ok(!JSON.stringify(redact({ clientId: secret, got: `id ${secret}!` })).includes(secret))
})
