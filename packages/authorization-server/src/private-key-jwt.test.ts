import assert from 'node:assert/strict'
import { createPrivateKey, randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { createLabKey, type LabAlgorithm, type LabKey, publicJwk, signed } from '@scopegate/lab'
import { testStorage } from '@scopegate/storage/testing'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { type StartedServer, startServer } from './testing/start-server.ts'

const storage = await testStorage()
const SCOPE = 'system/Patient.rs'
const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const rsa = createLabKey('RS384')
const ec = createLabKey('ES384')
let at: StartedServer
let id: string

async function addClient(keys: { jwks?: unknown; jwksUri?: string }) {
  const added = await at.server.clients.add({
    name: 'Backend',
    scopes: SCOPE,
    grants: ['client_credentials'],
    ...keys,
  })
  assert.ok(added.ok, JSON.stringify(added))
  assert.equal(added.clientSecret, undefined)
  return added.client.clientId
}

before(async () => {
  at = await startServer(storage, { limits: { failuresPerMinute: 10_000 } })
  id = await addClient({ jwks: { keys: [publicJwk(rsa), publicJwk(ec)] } })
})
after(() => at.close())

const nowSeconds = () => Math.floor(Date.now() / 1000)

function assertion(
  claims: object = {},
  header: object = {},
  key: LabKey = rsa,
  clientId: string = id,
) {
  const now = nowSeconds()
  return signed(
    { alg: key.alg, kid: key.kid, typ: 'JWT', ...header },
    {
      iss: clientId,
      sub: clientId,
      aud: `${at.issuer}/oauth/token`,
      iat: now,
      exp: now + 60,
      jti: randomUUID(),
      ...claims,
    },
    key,
  )
}

async function send(client_assertion: string, base = at.issuer, more: Record<string, string> = {}) {
  const response = await fetch(`${base}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: SCOPE,
      client_assertion_type: TYPE,
      client_assertion,
      ...more,
    }),
  })
  const body = (await response.json()) as Record<string, unknown>
  return { status: response.status, body }
}

/** S-22: what a Backend Services answer holds. */
function isTokenResponse(body: Record<string, unknown>) {
  assert.equal(body.token_type, 'Bearer')
  assert.equal(body.scope, SCOPE)
  assert.ok((body.expires_in as number) <= 300)
  assert.equal(body.refresh_token, undefined)
}

describe('private_key_jwt', () => {
  for (const alg of ['RS384', 'ES384', 'RS256', 'PS256', 'ES256', 'EdDSA'] as LabAlgorithm[]) {
    test(`signed with ${alg} gets a token`, async () => {
      const key = createLabKey(alg)
      const clientId = await addClient({ jwks: { keys: [publicJwk(key)] } })
      const { status, body } = await send(assertion({}, {}, key, clientId))
      assert.equal(status, 200, JSON.stringify(body))
      isTokenResponse(body)
    })
  }

  for (const key of [rsa, ec]) {
    test(`by openid-client and oauth4webapi with ${key.alg}`, async () => {
      const hash = { name: 'SHA-384' }
      const algorithm =
        key.alg === 'RS384'
          ? { name: 'RSASSA-PKCS1-v1_5', hash }
          : { name: 'ECDSA', namedCurve: 'P-384' }
      const pkcs8 = createPrivateKey({ key, format: 'jwk' }).export({
        type: 'pkcs8',
        format: 'der',
      })
      const secret = await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign'])
      const config = await openid.discovery(
        new URL(at.issuer),
        id,
        {},
        openid.PrivateKeyJwt({ key: secret, kid: key.kid }),
        { execute: [openid.allowInsecureRequests] },
      )
      isTokenResponseOf(await openid.clientCredentialsGrant(config, { scope: SCOPE }))

      const as = { issuer: at.issuer, token_endpoint: `${at.issuer}/oauth/token` }
      const response = await oauth.clientCredentialsGrantRequest(
        as,
        { client_id: id },
        oauth.PrivateKeyJwt({ key: secret, kid: key.kid }),
        new URLSearchParams({ scope: SCOPE }),
        { [oauth.allowInsecureRequests]: true },
      )
      isTokenResponseOf(
        await oauth.processClientCredentialsResponse(as, { client_id: id }, response),
      )
    })
  }
  const isTokenResponseOf = ({
    scope,
    refresh_token,
  }: {
    scope?: string
    refresh_token?: string
  }) => assert.deepEqual([scope, refresh_token], [SCOPE, undefined])

  test('works as SMART describes it, without iat and typ; a site may ask for iat', async () => {
    assert.equal((await send(assertion({ iat: undefined }, { typ: undefined }))).status, 200)
    const strict = await startServer(storage, { requireAssertionIssuedAt: true })
    const aud = `${strict.issuer}/oauth/token`
    const { status, body } = await send(assertion({ aud, iat: undefined }), strict.issuer)
    strict.close()
    assert.equal(status, 401)
    assert.match(String(body.error_description), /`iat`/)
  })

  test('accepts the issuer for an audience, as newer libraries send it', async () => {
    assert.equal((await send(assertion({ aud: at.issuer }))).status, 200)
  })
})

describe('an assertion is refused with invalid_client and the reason', () => {
  const now = nowSeconds()
  const other = createLabKey('RS384')
  for (const [what, make, code, says] of [
    [
      'that lives longer than 5 minutes',
      () => assertion({ exp: now + 900 }),
      'assertion_lives_too_long',
      /at most 300 s/,
    ],
    ['that has expired', () => assertion({ exp: now - 60 }), 'assertion_expired', /`exp` after/],
    ['without exp', () => assertion({ exp: undefined }), 'assertion_exp_missing', /exp/],
    ['issued in the future', () => assertion({ iat: now + 120 }), 'assertion_iat', /iat/],
    ['not valid yet', () => assertion({ nbf: now + 120 }), 'assertion_nbf', /nbf/],
    [
      'for another audience',
      () => assertion({ aud: 'https://x.example/token' }),
      'assertion_audience',
      /\/oauth\/token/,
    ],
    [
      'for us and somebody else',
      () => assertion({ aud: [`${at.issuer}/oauth/token`, 'https://x.example'] }),
      'assertion_audience',
      /\/oauth\/token/,
    ],
    [
      'without audience',
      () => assertion({ aud: undefined }),
      'assertion_audience',
      /\/oauth\/token/,
    ],
    [
      'whose iss is not its sub',
      () => assertion({ iss: 'somebody' }),
      'assertion_subject',
      /client_id/,
    ],
    ['without jti', () => assertion({ jti: undefined }), 'assertion_jti', /jti/],
    ['without kid', () => assertion({}, { kid: undefined }), 'assertion_kid_missing', /kid/],
    [
      'with an unknown kid',
      () => assertion({}, { kid: 'unknown' }),
      'assertion_key_unknown',
      /not signed with a key registered/,
    ],
    [
      'signed by another key of the same kid',
      () => assertion({}, { kid: rsa.kid }, other),
      'assertion_signature',
      /not signed with a key registered/,
    ],
    [
      'with the kid of a key of another type',
      () => assertion({}, { kid: ec.kid }),
      'assertion_key_unknown',
      /not signed with/,
    ],
    [
      'with a jku that is not registered',
      () => assertion({}, { jku: 'https://evil.example/keys' }),
      'assertion_jku',
      /jku/,
    ],
    ['typed as an access token', () => assertion({}, { typ: 'at+jwt' }), 'assertion_typ', /JWT/],
    [
      'of an unknown client',
      () => assertion({}, {}, rsa, 'nobody'),
      'client_unknown',
      /unknown client, or/,
    ],
    [
      'with alg none',
      () => {
        const [, body] = assertion().split('.')
        return `${Buffer.from(JSON.stringify({ alg: 'none', kid: rsa.kid })).toString('base64url')}.${body}.`
      },
      'assertion_algorithm',
      /RS384/,
    ],
    ['with HS256', () => assertion({}, { alg: 'HS256' }), 'assertion_algorithm', /RS384/],
  ] as const) {
    test(what, async () => {
      const { status, body } = await send(make())
      assert.equal(status, 401, JSON.stringify(body))
      assert.equal(body.error, 'invalid_client')
      assert.match(String(body.error_description), says)
      const refusal = at.refusals.at(-1)
      assert.equal(refusal?.code, code, JSON.stringify(refusal))
      assert.equal(refusal?.correlationId, body.correlation_id)
    })
  }

  test('that is no JWT: invalid_request', async () => {
    const { status, body } = await send('hello')
    assert.equal(status, 400)
    assert.equal(body.error, 'invalid_request')
  })

  test('a secret client cannot use one, and a key client cannot use a secret', async () => {
    const added = await at.server.clients.add({
      name: 's',
      scopes: SCOPE,
      grants: ['client_credentials'],
    })
    assert.ok(added.ok)
    assert.equal((await send(assertion({}, {}, rsa, added.client.clientId))).status, 401)
    assert.equal(at.refusals.at(-1)?.code, 'client_authentication_method')
    const response = await fetch(`${at.issuer}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: id,
        client_secret: 'kept-as-a-hash',
      }),
    })
    assert.equal(response.status, 401)
  })

  test("made for an attacker's Host header is refused", async () => {
    const { request } = await import('node:http')
    const body = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: TYPE,
      client_assertion: assertion({ aud: 'http://evil.example/oauth/token' }),
    }).toString()
    const status = await new Promise((resolve) => {
      request(
        `${at.issuer}/oauth/token`,
        {
          method: 'POST',
          headers: {
            host: 'evil.example',
            'x-forwarded-host': 'evil.example',
            'content-type': 'application/x-www-form-urlencoded',
          },
        },
        (response) => resolve(response.statusCode),
      ).end(body)
    })
    assert.equal(status, 401)
    assert.equal(at.refusals.at(-1)?.code, 'assertion_audience')
  })
})

describe('an assertion works once', () => {
  test('of fifty at once, on two servers, exactly one gets a token', async () => {
    const second = await startServer(storage, {
      issuer: at.issuer,
      limits: { failuresPerMinute: 10_000 },
    })
    const { address } = second
    const once = assertion()
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => send(once, i % 2 === 0 ? at.issuer : address)),
    )
    second.close()
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    assert.ok(answers.every(({ status }) => status === 200 || status === 401))
  })

  test('also after a restart, and the refusal says so', async () => {
    const once = assertion()
    assert.equal((await send(once)).status, 200)
    const restarted = await startServer(storage, { issuer: at.issuer })
    const { status, body } = await send(once, restarted.address)
    restarted.close()
    assert.equal(status, 401)
    assert.match(String(body.error_description), /used before/)
  })

  test('one that was refused for its signature is not used up', async () => {
    const good = assertion()
    const [header, body] = good.split('.')
    assert.equal((await send(`${header}.${body}.AAAA`)).status, 401)
    assert.equal((await send(good)).status, 200)
  })
})

describe('keys at a URL', () => {
  test('are fetched when needed, followed on rotation, and forgotten when they are removed', async () => {
    let keys: object[] = [publicJwk(rsa)]
    let fetches = 0
    let nowMs = Date.now()
    const web = createServer((_request, response) => {
      fetches += 1
      response.setHeader('cache-control', 'max-age=120')
      response.end(JSON.stringify({ keys }))
    })
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
    const jwksUri = `http://127.0.0.1:${(web.address() as AddressInfo).port}/keys`
    const server = await startServer(storage, { nowMs: () => nowMs })
    const clientId = await addClient({ jwksUri })
    const ask = async (key: LabKey, header = {}) => {
      const now = Math.floor(nowMs / 1000)
      const aud = `${server.issuer}/oauth/token`
      const claims = { aud, iat: now - 5, exp: Math.floor(Date.now() / 1000) + 120 }
      return (await send(assertion(claims, header, key, clientId), server.issuer)).status
    }

    assert.equal(await ask(rsa), 200)
    assert.equal(await ask(rsa, { jku: jwksUri }), 200, 'the registered URL may be named')
    assert.equal(fetches, 1)

    const next = createLabKey('ES384')
    keys = [publicJwk(rsa), publicJwk(next)]
    nowMs += 31_000
    assert.equal(await ask(next), 200, 'an unknown kid is looked up again while the set is fresh')
    assert.equal(fetches, 2)
    for (let i = 0; i < 5; i++) assert.equal(await ask(next, { kid: `no-${i}` }), 401)
    assert.equal(fetches, 2, 'but not for every unknown kid')

    keys = [publicJwk(next)]
    assert.equal(await ask(rsa), 200, 'a removed key works as long as the set may be kept')
    nowMs += 125_000
    assert.equal(await ask(rsa), 401, 'and not after that')

    keys = [publicJwk(next), publicJwk(next)]
    nowMs += 125_000
    assert.equal(await ask(next), 401, 'a set with one kid twice is refused')
    assert.equal(server.refusals.at(-1)?.code, 'client_keys_unavailable')
    assert.match(JSON.stringify(server.refusals.at(-1)), /two keys have the `kid`/)
    server.close()
    web.close()
  })

  for (const jwksUri of ['http://10.0.0.1/keys', 'https://169.254.169.254/', 'ftp://x.example/']) {
    test(`${jwksUri} cannot be registered`, async () => {
      const added = await at.server.clients.add({
        name: 'x',
        scopes: SCOPE,
        grants: ['client_credentials'],
        jwksUri,
      })
      assert.ok(!added.ok)
      assert.equal(added.status, 400)
    })
  }

  test('keys with a private part or without kid cannot be registered', async () => {
    const { kid, ...nameless } = publicJwk(rsa)
    for (const keys of [[rsa], [nameless], [publicJwk(rsa), publicJwk(rsa)], []]) {
      const added = await at.server.clients.add({
        name: 'x',
        scopes: SCOPE,
        grants: ['client_credentials'],
        jwks: { keys },
      })
      assert.ok(!added.ok)
      assert.match(added.why, /jwks/)
    }
  })
})
