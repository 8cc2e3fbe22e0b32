import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { createTokenVerifier, rfc9068Issuer } from '@scopegate/token-verify'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { askToken } from '../testing/ask-token.ts'
import { createSignInStub } from '../testing/sign-in-stub.ts'
import { type StartedServer, startServer } from '../testing/start-server.ts'

const storage = await testStorage()
let at: StartedServer
let there: StartedServer

interface Credential {
  readonly client_id: string
  readonly client_secret: string
}
const clients: Record<'app' | 'other' | 'guard', Credential> = {} as never
const SCOPE = 'system/Patient.rs system/Observation.rs?category=laboratory'

async function addClient(scopes: string): Promise<Credential> {
  const added = await at.server.clients.add({
    name: 'Client',
    scopes,
    grants: ['client_credentials'],
  })
  assert.ok(added.ok, JSON.stringify(added))
  return { client_id: added.client.clientId, client_secret: added.clientSecret ?? '' }
}

before(async () => {
  at = await startServer(storage, { signIn: createSignInStub() })
  there = await startServer(storage, { issuer: at.issuer })
  clients.app = await addClient(SCOPE)
  clients.other = await addClient(SCOPE)
  clients.guard = await addClient(`introspect ${SCOPE}`)
})
after(() => {
  at.close()
  there.close()
})

async function tokenOf(client: Credential, form: Record<string, string> = {}): Promise<string> {
  const { status, body } = await askToken(at.issuer, { ...client, ...form })
  assert.equal(status, 200, JSON.stringify(body))
  return body.access_token
}

async function post(
  path: string,
  form: Record<string, string> | string | undefined,
  headers: Record<string, string> = {},
  address = at.address,
) {
  const response = await fetch(`${address}${path}`, {
    method: 'POST',
    ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    headers,
  })
  const text = await response.text()
  // biome-ignore lint/suspicious/noExplicitAny: a body is whatever came
  const body = text === '' ? undefined : (JSON.parse(text) as any)
  return { status: response.status, headers: response.headers, body }
}
const introspect = (form: Record<string, string>, headers = {}, address = at.address) =>
  post('/oauth/introspect', form, headers, address)
const revoke = (form: Record<string, string>, headers = {}, address = at.address) =>
  post('/oauth/revoke', form, headers, address)
const basic = ({ client_id, client_secret }: Credential) => ({
  authorization: `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`,
})
const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

describe('introspection', () => {
  test('tells of an own token what the token response told, and the claims of RFC 7662', async () => {
    const { body: tokens } = await askToken(at.issuer, { ...clients.app, scope: SCOPE })
    const { status, headers, body } = await introspect({
      ...clients.app,
      token: tokens.access_token,
    })
    assert.equal(status, 200)
    assert.match(headers.get('cache-control') ?? '', /no-store/)
    assert.equal(headers.get('pragma'), 'no-cache')
    const { jti, iat, exp } = claimsOf(tokens.access_token)
    assert.deepEqual(body, {
      active: true,
      token_type: 'Bearer',
      scope: tokens.scope,
      client_id: clients.app.client_id,
      exp,
      iat,
      sub: clients.app.client_id,
      iss: at.issuer,
      aud: at.fhir,
      jti,
    })
    assert.equal(exp - iat, tokens.expires_in)
  })

  test('takes the client from Basic as well', async () => {
    const { body } = await introspect({ token: await tokenOf(clients.app) }, basic(clients.app))
    assert.equal(body.active, true)
  })

  test('of a token of another client is for those with the scope `introspect`', async () => {
    const token = await tokenOf(clients.app)
    const foreign = await introspect({ ...clients.other, token })
    assert.deepEqual(foreign.body, { active: false })
    const refusal = at.refusals.at(-1)
    assert.equal(refusal?.code, 'introspection_not_permitted', 'the operator sees why')
    assert.equal(refusal?.path, '/oauth/introspect')
    assert.equal(refusal?.clientId, clients.other.client_id)
    const { body } = await introspect({ ...clients.guard, token })
    assert.equal(body.active, true)
    assert.equal(body.client_id, clients.app.client_id)
  })

  test('takes a bearer token with the scope `introspect`, for tokens of any client', async () => {
    const bearer = await tokenOf(clients.guard, { scope: 'introspect' })
    const token = await tokenOf(clients.app)
    const { status, body } = await introspect({ token }, { authorization: `Bearer ${bearer}` })
    assert.equal(status, 200)
    assert.equal(body.client_id, clients.app.client_id)
  })

  test('refuses a bearer token without that scope, and says so', async () => {
    const bearer = await tokenOf(clients.app)
    const { status, headers, body } = await introspect(
      { token: bearer },
      { authorization: `Bearer ${bearer}` },
    )
    assert.equal(status, 403)
    assert.equal(body.error, 'insufficient_scope')
    assert.match(
      headers.get('www-authenticate') ?? '',
      /Bearer .*insufficient_scope.*scope="introspect"/,
    )
    assert.equal(at.refusals.at(-1)?.code, 'scope_introspect_missing')
  })

  test('refuses bearer tokens that are none', async () => {
    for (const bearer of ['x', 'a.b.c', `${await tokenOf(clients.guard)}x`]) {
      const { status, body } = await introspect(
        { token: 'anything' },
        { authorization: `Bearer ${bearer}` },
      )
      assert.equal(status, 401)
      assert.equal(body.error, 'invalid_token')
    }
  })

  test('answers exactly {"active":false} for what is unknown, foreign, broken, expired or revoked', async () => {
    const revoked = await tokenOf(clients.app)
    await revoke({ ...clients.app, token: revoked })
    const good = await tokenOf(clients.app)
    const [header, payload, signature] = good.split('.')
    const forged = `${header}.${Buffer.from(JSON.stringify({ ...claimsOf(good), scope: 'system/*.cruds' })).toString('base64url')}.${signature}`
    for (const token of [
      revoked,
      forged,
      `${header}.${payload}.`,
      'x',
      'a.b.c',
      'e30.e30.e30',
      'x'.repeat(43),
      ' ',
      '\u{1f600}',
    ]) {
      const { status, body } = await introspect({ ...clients.guard, token })
      assert.equal(status, 200, token)
      assert.deepEqual(body, { active: false }, token)
    }
  })

  test('notices that a token has expired, without tolerance', async () => {
    let nowMs = Date.now()
    const late = await startServer(storage, { issuer: at.issuer, nowMs: () => nowMs })
    const token = await tokenOf(clients.app)
    nowMs = claimsOf(token).exp * 1000 - 1500
    assert.equal((await introspect({ ...clients.app, token }, {}, late.address)).body.active, true)
    nowMs += 2000
    assert.deepEqual((await introspect({ ...clients.app, token }, {}, late.address)).body, {
      active: false,
    })
    late.close()
  })

  test('does not mind a wrong or unknown token_type_hint', async () => {
    const token = await tokenOf(clients.app)
    for (const hint of ['refresh_token', 'access_token', 'nonsense']) {
      const { body } = await introspect({ ...clients.app, token, token_type_hint: hint })
      assert.equal(body.active, true, hint)
    }
  })

  test('without authentication is 401, and says how to authenticate', async () => {
    const { status, headers, body } = await introspect({ token: await tokenOf(clients.app) })
    assert.equal(status, 401)
    assert.equal(body.error, 'invalid_client')
    assert.match(body.error_description, /names no client.*introspect/)
    assert.match(headers.get('www-authenticate') ?? '', /^Basic /)
  })

  test('with a wrong secret, an unknown client or a disabled one is 401 in the same words', async () => {
    const disabled = await addClient(SCOPE)
    await at.server.clients.setDisabled(disabled.client_id, true)
    const token = await tokenOf(clients.app)
    const said = new Set<string>()
    for (const client of [
      { ...clients.app, client_secret: 'wrong' },
      { client_id: 'nobody', client_secret: 'wrong' },
      disabled,
    ]) {
      const { status, headers, body } = await introspect({ ...client, token })
      assert.equal(status, 401)
      assert.match(headers.get('cache-control') ?? '', /no-store/)
      const { correlation_id, ...told } = body
      assert.ok(correlation_id)
      said.add(JSON.stringify(told))
    }
    assert.equal(said.size, 1)
    assert.deepEqual(
      at.refusals.slice(-3).map(({ code, path }) => [code, path]),
      [
        ['secret_wrong', '/oauth/introspect'],
        ['client_unknown', '/oauth/introspect'],
        ['client_disabled', '/oauth/introspect'],
      ],
    )
  })

  test('is not for public clients, since anybody can send a client_id', async () => {
    const added = await at.server.clients.add({
      name: 'Page',
      scopes: 'launch/patient patient/*.rs',
      grants: ['authorization_code'],
      public: true,
      redirectUris: ['https://app.example/callback'],
    })
    assert.ok(added.ok, JSON.stringify(added))
    const { status, body } = await introspect({ client_id: added.client.clientId, token: 'x' })
    assert.equal(status, 401)
    assert.equal(body.error, 'invalid_client')
    assert.match(body.error_description, /access token that holds the scope introspect/)
  })

  test('takes a signed assertion, each once', async () => {
    const { client_id, assertion } = await keyClient()
    const token = await tokenOf(clients.app)
    const form = {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion(),
      token,
    }
    const { status, body } = await introspect(form)
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(body.client_id, clients.app.client_id)
    const again = await introspect(form)
    assert.equal(again.status, 401)
    assert.equal(at.refusals.at(-1)?.code, 'assertion_replayed')
    assert.equal(at.refusals.at(-1)?.clientId, client_id)
    const late = { ...form, client_assertion: assertion({ exp: 1 }) }
    assert.match((await introspect(late)).body.error_description, /exp/)
  })

  for (const [what, form, type, status] of [
    ['no token', { token_type_hint: 'access_token' }, undefined, 400],
    ['an empty token', { token: '' }, undefined, 400],
    ['a token twice', 'token=a&token=b', undefined, 400],
    ['a client twice', 'token=a&client_id=a&client_id=b', undefined, 400],
    ['JSON', '{"token":"x"}', 'application/json', 400],
    ['no type', 'token=x', '', 400],
    ['a broken form', 'token=%ZZ', undefined, 400],
    ['a very large form', `token=${'x'.repeat(70_000)}`, undefined, 413],
    ['two ways to authenticate', 'token=x&client_id=a&client_secret=b', undefined, 400],
  ] as const) {
    test(`refuses ${what}`, async () => {
      const response = await fetch(`${at.address}/oauth/introspect`, {
        method: 'POST',
        body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
        headers: {
          ...basic(clients.app),
          ...(what.startsWith('two') ? { authorization: 'Bearer x' } : {}),
          'content-type': type ?? 'application/x-www-form-urlencoded',
        },
      })
      assert.equal(response.status, status)
      const body = (await response.json()) as { error: string; correlation_id: string }
      assert.equal(body.error, 'invalid_request')
      assert.equal(at.refusals.at(-1)?.correlationId, body.correlation_id)
    })
  }

  test('is POST only, and not for browsers', async () => {
    const get = await fetch(`${at.address}/oauth/introspect?token=x`)
    assert.equal(get.status, 405)
    assert.equal(get.headers.get('allow'), 'POST')
    const { headers } = await introspect(
      { ...clients.app, token: 'x' },
      { origin: 'https://app.example' },
    )
    assert.equal(headers.get('access-control-allow-origin'), null)
  })

  test('stops a flood of wrong credentials', async () => {
    const strict = await startServer(storage, { limits: { failuresPerMinute: 3 } })
    const wrong = { client_id: 'nobody', client_secret: 'wrong', token: 'x' }
    const statuses: number[] = []
    for (let i = 0; i < 5; i++) {
      statuses.push((await introspect(wrong, {}, strict.address)).status)
    }
    assert.deepEqual(statuses, [401, 401, 401, 429, 429])
    strict.close()
  })

  test('is used by openid-client and oauth4webapi as they come', async () => {
    const token = await tokenOf(clients.app)
    const { client_id, client_secret } = clients.app
    const config = await openid.discovery(
      new URL(at.issuer),
      client_id,
      {},
      openid.ClientSecretBasic(client_secret),
      { execute: [openid.allowInsecureRequests] },
    )
    assert.equal((await openid.tokenIntrospection(config, token)).active, true)
    await openid.tokenRevocation(config, token)
    assert.deepEqual(await openid.tokenIntrospection(config, token), { active: false })

    const insecure = { [oauth.allowInsecureRequests]: true }
    const as = config.serverMetadata() as oauth.AuthorizationServer
    const client = { client_id }
    const auth = oauth.ClientSecretPost(client_secret)
    const other = await tokenOf(clients.app)
    const response = await oauth.introspectionRequest(as, client, auth, other, insecure)
    assert.equal((await oauth.processIntrospectionResponse(as, client, response)).active, true)
    const done = await oauth.revocationRequest(as, client, auth, other, insecure)
    await oauth.processRevocationResponse(done)
  })
})

describe('revocation', () => {
  function verifierOf({ server }: StartedServer) {
    return createTokenVerifier({
      issuers: [
        { ...rfc9068Issuer(at.issuer, server.keySource), resolveOpaque: server.resolveOpaque },
      ],
      clockToleranceSeconds: 30,
      now: () => Math.floor(Date.now() / 1000),
      isRevoked: server.revocations.isRevoked,
    })
  }
  const expected = () => ({ audiences: [at.fhir], issuers: [at.issuer] })

  test('ends a JWT here at once, and in another process within seconds', async () => {
    const token = await tokenOf(clients.app)
    const [here, elsewhere] = [verifierOf(at), verifierOf(there)]
    for (const verifier of [here, elsewhere]) {
      assert.ok((await verifier.verify(`Bearer ${token}`, expected())).ok)
    }
    const { status, body, headers } = await revoke({ ...clients.app, token })
    assert.equal(status, 200)
    assert.equal(body, undefined)
    assert.match(headers.get('cache-control') ?? '', /no-store/)
    const verdict = await here.verify(`Bearer ${token}`, expected())
    assert.equal(verdict.checks.at(-1)?.code, 'token_revoked')
    let last = await elsewhere.verify(`Bearer ${token}`, expected())
    for (let i = 0; i < 300 && last.ok; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      last = await elsewhere.verify(`Bearer ${token}`, expected())
    }
    assert.equal(last.checks.at(-1)?.code, 'token_revoked')
  })

  test('ends that token and no other of the client', async () => {
    const [one, two] = [await tokenOf(clients.app), await tokenOf(clients.app)]
    await revoke({ ...clients.app, token: one })
    assert.equal((await introspect({ ...clients.app, token: one })).body.active, false)
    assert.equal((await introspect({ ...clients.app, token: two })).body.active, true)
  })

  test('of what is unknown, expired or revoked already is done', async () => {
    const token = await tokenOf(clients.app)
    for (const each of [token, token, 'unknown', 'a.b.c', 'x'.repeat(43)]) {
      assert.equal((await revoke({ ...clients.app, token: each })).status, 200)
    }
  })

  test('comes with the removal of a client, and with its being disabled', async () => {
    for (const end of [
      (id: string) => at.server.clients.remove(id),
      (id: string) => at.server.clients.setDisabled(id, true),
      (id: string) => at.server.clients.update(id, { disabled: true }),
    ]) {
      const client = await addClient(SCOPE)
      const token = await tokenOf(client)
      assert.equal((await introspect({ ...clients.guard, token })).body.active, true)
      assert.ok((await end(client.client_id)).ok)
      assert.deepEqual((await introspect({ ...clients.guard, token })).body, { active: false })
    }
  })

  test('of a token of another client is refused, and the token lives on', async () => {
    const token = await tokenOf(clients.app)
    for (const client of [clients.other, clients.guard]) {
      const { status, body } = await revoke({ ...client, token })
      assert.equal(status, 400)
      assert.equal(body.error, 'invalid_grant')
      assert.equal(at.refusals.at(-1)?.code, 'token_of_other_client')
    }
    assert.equal((await introspect({ ...clients.app, token })).body.active, true)
  })

  test('without authentication, or with a wrong one, is 401', async () => {
    const token = await tokenOf(clients.app)
    for (const form of [{ token }, { ...clients.app, client_secret: 'wrong', token }]) {
      const { status, body } = await revoke(form as Record<string, string>)
      assert.equal(status, 401)
      assert.equal(body.error, 'invalid_client')
    }
    const bearer = await revoke({ token }, { authorization: `Bearer ${token}` })
    assert.equal(bearer.status, 400)
    assert.equal((await introspect({ ...clients.app, token })).body.active, true)
  })

  test('lets pages of a registered origin ask, and no others', async () => {
    const added = await at.server.clients.add({
      name: 'Page',
      scopes: 'launch/patient patient/*.rs',
      grants: ['authorization_code'],
      public: true,
      redirectUris: ['https://page.example/callback'],
    })
    assert.ok(added.ok)
    const fresh = await startServer(storage, { issuer: at.issuer })
    for (const [origin, allowed] of [
      ['https://page.example', 'https://page.example'],
      ['https://evil.example', null],
      ['null', null],
      ['https://page.example.evil.example', null],
    ] as const) {
      for (const path of ['/oauth/revoke', '/oauth/userinfo', '/oauth/token']) {
        const preflight = await fetch(`${fresh.address}${path}`, {
          method: 'OPTIONS',
          headers: { origin, 'access-control-request-method': 'POST' },
        })
        assert.equal(
          preflight.headers.get('access-control-allow-origin'),
          allowed,
          `${path} ${origin}`,
        )
        assert.equal(preflight.headers.get('access-control-allow-credentials'), null)
      }
      const done = await revoke(
        { client_id: added.client.clientId, token: 'x' },
        { origin },
        fresh.address,
      )
      assert.equal(done.headers.get('access-control-allow-origin'), allowed, origin)
      assert.match(done.headers.get('vary') ?? '', /origin/i)
    }
    fresh.close()
  })
})

describe('userinfo', () => {
  test('of a token of client credentials is 403 with the reason', async () => {
    const { status, body, headers } = await post('/oauth/userinfo', undefined, {
      authorization: `Bearer ${await tokenOf(clients.app)}`,
    })
    assert.equal(status, 403)
    assert.equal(body.error, 'insufficient_scope')
    assert.match(body.error_description, /there is no user.*introspection/)
    assert.match(headers.get('www-authenticate') ?? '', /insufficient_scope/)
    assert.equal(at.refusals.at(-1)?.code, 'user_missing')
  })

  test('without a token is 401 with a bare challenge, with a bad one 401 with the reason', async () => {
    const none = await fetch(`${at.address}/oauth/userinfo`)
    assert.equal(none.status, 401)
    assert.doesNotMatch(none.headers.get('www-authenticate') ?? '', /error=/)
    assert.match(none.headers.get('www-authenticate') ?? '', /^Bearer .*, DPoP .*algs="/)
    const bad = await fetch(`${at.address}/oauth/userinfo`, {
      headers: { authorization: 'Bearer a.b.c' },
    })
    assert.equal(bad.status, 401)
    assert.match(bad.headers.get('www-authenticate') ?? '', /error="invalid_token"/)
    const inQuery = await fetch(`${at.address}/oauth/userinfo?access_token=x`)
    assert.equal(inQuery.status, 401)
    const put = await fetch(`${at.address}/oauth/userinfo`, { method: 'PUT' })
    assert.equal(put.status, 405)
  })
})

/** A client with a key of its own, and what makes its assertions. */
async function keyClient() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES384', use: 'sig' }
  const added = await at.server.clients.add({
    name: 'Signer',
    scopes: 'introspect system/Patient.rs',
    grants: ['client_credentials'],
    jwks: { keys: [jwk] },
  })
  assert.ok(added.ok, JSON.stringify(added))
  const client_id = added.client.clientId
  const assertion = (claims: object = {}) =>
    jwt(
      privateKey,
      { alg: 'ES384', kid: 'k1', typ: 'JWT' },
      {
        iss: client_id,
        sub: client_id,
        aud: `${at.issuer}/oauth/token`,
        exp: Math.floor(Date.now() / 1000) + 60,
        jti: randomUUID(),
        ...claims,
      },
    )
  return { client_id, assertion }
}

function jwt(key: KeyObject, header: object, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part(header)}.${part(claims)}`
  const signature = sign('sha384', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
