import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { describe, test } from 'node:test'
import { createLabIssuer, createLabKey, publicJwk } from '@scopegate/lab'
import {
  createIntrospection,
  createTokenVerifier,
  genericIssuer,
  type IntrospectionOptions,
  IntrospectionUnavailable,
  keysFromSet,
} from '@scopegate/token-verify'

const NOW = 1_800_000_000
const ISSUER = 'https://idp.example'
const BASE = 'https://api.example/fhir/r4'
const here = { audiences: [BASE], issuers: [ISSUER] }
const active = {
  ...{ active: true, sub: 'ann', aud: BASE, client_id: 'app', scope: 'system/*.rs' },
  exp: NOW + 1000,
}

interface Sent {
  readonly form: URLSearchParams
  readonly headers: Readonly<Record<string, string>>
}

function introspecting(
  answer: (token: string, count: number) => unknown,
  more: Partial<IntrospectionOptions> = {},
) {
  const state = { nowMs: NOW * 1000 }
  const sent: Sent[] = []
  const resolve = createIntrospection({
    issuer: ISSUER,
    endpoint: `${ISSUER}/introspect`,
    authentication: { method: 'client_secret_basic', clientId: 'a b', secret: 'ü:%' },
    cacheSeconds: 30,
    network: { allowLoopback: false, allowPrivateHosts: [] },
    nowMs: () => state.nowMs,
    async post(_url, _network, { form, headers = {} }) {
      sent.push({ form, headers })
      const value = await answer(String(form.get('token')), sent.length)
      return { status: 200, value }
    },
    ...more,
  })
  const verifier = createTokenVerifier({
    issuers: [
      {
        ...genericIssuer(ISSUER, keysFromSet({ keys: [] })),
        resolveOpaque: resolve,
        opaqueSeconds: 30,
      },
    ],
    clockToleranceSeconds: 0,
    now: () => Math.floor(state.nowMs / 1000),
  })
  const code = async (token: string) => {
    const verdict = await verifier.verify(`Bearer ${token}`, here)
    return verdict.ok ? 'ok' : verdict.checks.at(-1)?.code
  }
  return { state, sent, resolve, verifier, code }
}

describe('introspection at another server', () => {
  test('says what a token is; the answer serves for the seconds of the setting', async () => {
    const { state, sent, code } = introspecting(() => active)
    assert.equal(await code('opaque'), 'ok')
    state.nowMs += 29_000
    assert.equal(await code('opaque'), 'ok')
    assert.equal(sent.length, 1)
    state.nowMs += 2000
    assert.equal(await code('opaque'), 'ok')
    assert.equal(sent.length, 2)
    assert.equal(sent[0]?.form.get('token_type_hint'), 'access_token')
  })

  test('an answer never serves beyond `exp`', async () => {
    const { state, code } = introspecting((_, count) =>
      count === 1 ? { ...active, exp: NOW + 5 } : { active: false },
    )
    assert.equal(await code('opaque'), 'ok')
    state.nowMs += 5000
    assert.notEqual(await code('opaque'), 'ok')
  })

  test('a revoked token ends within the seconds of the setting', async () => {
    let isRevoked = false
    const { state, code } = introspecting(() => (isRevoked ? { active: false } : active))
    assert.equal(await code('opaque'), 'ok')
    isRevoked = true
    state.nowMs += 31_000
    assert.equal(await code('opaque'), 'token_unknown')
  })

  test('a hundred at once with one token ask once; an unknown one is remembered for a moment', async () => {
    const { state, sent, code } = introspecting(async (token) =>
      token === 'good' ? active : { active: false },
    )
    await Promise.all(Array.from({ length: 100 }, () => code('good')))
    assert.equal(sent.length, 1)
    for (let i = 0; i < 10; i++) assert.equal(await code('bad'), 'token_unknown')
    assert.equal(sent.length, 2)
    state.nowMs += 11_000
    await code('bad')
    assert.equal(sent.length, 3)
  })

  for (const [what, answer] of [
    ['an error', () => Promise.reject(new Error('answered with status 500, expected 200'))],
    ['no object', () => 'nonsense'],
    ['no `active`', () => ({ error: 'invalid_client' })],
    ['`active` as a text', () => ({ ...active, active: 'true' })],
  ] as const) {
    test(`${what} says nothing of the token: unavailable, and left alone longer each time`, async () => {
      const { state, sent, verifier } = introspecting(answer)
      const ask = () => verifier.verify('Bearer opaque', here)
      await assert.rejects(ask(), IntrospectionUnavailable)
      await assert.rejects(ask(), IntrospectionUnavailable)
      assert.equal(sent.length, 1)
      state.nowMs += 1001
      await assert.rejects(ask(), IntrospectionUnavailable)
      assert.equal(sent.length, 2)
      state.nowMs += 1001
      await assert.rejects(ask(), IntrospectionUnavailable)
      assert.equal(sent.length, 2)
    })
  }

  test('what is active and no access token of this issuer is unknown here', async () => {
    for (const answer of [
      { ...active, iss: 'https://other.example' },
      { ...active, typ: 'Refresh' },
      { ...active, token_type: 'refresh_token' },
      { ...active, exp: NOW - 1 },
    ]) {
      assert.equal(await introspecting(() => answer).code('opaque'), 'token_unknown')
    }
  })

  test('the audience counts as everywhere, and claims must be of their kinds', async () => {
    const other = introspecting(() => ({ ...active, aud: 'x' }))
    assert.equal(await other.code('opaque'), 'audience_mismatch')
    const none = introspecting(() => ({ ...active, aud: undefined }))
    assert.equal(await none.code('opaque'), 'audience_missing')
    const odd = introspecting(() => ({ ...active, scope: { a: 1 } }))
    assert.equal(await odd.code('opaque'), 'claim_invalid')
    const bound = introspecting(() => ({ ...active, cnf: { jkt: 'x' } }))
    assert.equal(await bound.code('opaque'), 'binding_unsupported')
  })

  test('a flood of tokens does not become a flood at the issuer', async () => {
    const held = Promise.withResolvers<unknown>()
    const { sent, resolve } = introspecting(() => held.promise)
    const all = Array.from({ length: 500 }, (_, at) => resolve(`t${at}`))
    const settled = Promise.allSettled(all)
    held.resolve({ active: false })
    const refused = (await settled).filter(({ status }) => status === 'rejected')
    assert.equal(sent.length, 64)
    assert.equal(refused.length, 436)
  })

  test('only texts that can be its tokens are sent', async () => {
    const form = { parameter: 'token', active: 'member', pattern: '^ya29\\.' } as const
    const { sent, resolve } = introspecting(() => active, { form })
    assert.equal(await resolve('something'), undefined)
    assert.equal(sent.length, 0)
    assert.ok(await resolve('ya29.x'))
  })
})

describe('this server shows who it is', () => {
  test('by HTTP Basic, both parts encoded as in a form', async () => {
    const { sent, resolve } = introspecting(() => active)
    await resolve('t')
    const basic = String(sent[0]?.headers.authorization).replace('Basic ', '')
    assert.equal(Buffer.from(basic, 'base64').toString(), 'a+b:%C3%BC%3A%25')
  })

  test('by the form, where that is set', async () => {
    const { sent, resolve } = introspecting(() => active, {
      authentication: { method: 'client_secret_post', clientId: 'a', secret: 'b' },
    })
    await resolve('t')
    assert.deepEqual(
      [sent[0]?.form.get('client_id'), sent[0]?.form.get('client_secret')],
      ['a', 'b'],
    )
  })

  for (const alg of ['PS256', 'ES256', 'ES384', 'EdDSA'] as const) {
    test(`by an assertion signed with ${alg}, a new one each time`, async () => {
      const key = createLabKey(alg)
      const { sent, resolve } = introspecting(() => ({ active: false }), {
        authentication: {
          method: 'private_key_jwt',
          ...{ clientId: 'me', privateKey: JSON.stringify(key), keyId: 'k1', audience: ISSUER },
        },
      })
      await resolve('t1')
      await resolve('t2')
      const [first, second] = sent.map(({ form }) => String(form.get('client_assertion')))
      assert.notEqual(first, second)
      const [head = '', body = '', tail = ''] = String(first).split('.')
      const header = JSON.parse(Buffer.from(head, 'base64url').toString())
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
      assert.deepEqual(header, { alg, typ: 'JWT', kid: 'k1' })
      assert.deepEqual([claims.iss, claims.sub, claims.aud], ['me', 'me', ISSUER])
      assert.ok(claims.exp - claims.iat <= 60)
      const isGood = verify(
        alg === 'EdDSA' ? null : `sha${alg.slice(2)}`,
        Buffer.from(`${head}.${body}`),
        {
          key: createPublicKey({ key: publicJwk(key), format: 'jwk' }),
          dsaEncoding: 'ieee-p1363',
          ...(alg === 'PS256' && { padding: 6, saltLength: 32 }),
        },
        Buffer.from(tail, 'base64url'),
      )
      assert.ok(isGood)
    })
  }

  test('a key that cannot be read is told at the start', () => {
    const authentication = {
      method: 'private_key_jwt',
      ...{ clientId: 'me', privateKey: 'nonsense', audience: ISSUER },
    } as const
    assert.throws(() => introspecting(() => active, { authentication }), /neither PEM/)
  })
})

describe('an issuer that is always asked', () => {
  test('ends a signed token that it revoked, within the seconds of the setting', async () => {
    const lab = createLabIssuer({ issuer: ISSUER, now: () => NOW })
    let isRevoked = false
    let nowSeconds = NOW
    const verifier = createTokenVerifier({
      issuers: [
        {
          ...genericIssuer(ISSUER, keysFromSet(lab.keySet)),
          resolveOpaque: async () => (isRevoked ? undefined : {}),
          opaqueSeconds: 10,
          isAlwaysAsked: true,
        },
      ],
      clockToleranceSeconds: 0,
      now: () => nowSeconds,
    })
    const token = lab.mintToken({ audience: BASE, scope: 'system/*.rs' })
    const ask = () => verifier.verify(`Bearer ${token}`, here)
    assert.ok((await ask()).ok)
    isRevoked = true
    assert.ok((await ask()).ok)
    nowSeconds += 10
    const verdict = await ask()
    assert.equal(verdict.checks.at(-1)?.code, 'token_revoked')
  })
})
