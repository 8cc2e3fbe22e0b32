import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, type JsonWebKey, randomUUID, sign } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import * as openid from 'openid-client'
import { createStubBrowser } from '../testing/browse.ts'
import { authorizationOf, exchange, launch, REDIRECT_URI } from '../testing/launch-app.ts'
import { claimsOf, type StartedApps, startApps } from '../testing/start-apps.ts'

const storage = await testStorage()
let at: StartedApps
let app: string

before(async () => {
  at = await startApps(storage)
  app = (await at.addApp()).id
})
after(() => at.close())

const SCOPE = 'openid fhirUser launch/patient patient/Observation.rs offline_access'

function configure(id: string, auth: openid.ClientAuth = openid.None()) {
  const options = { execute: [openid.allowInsecureRequests] }
  return openid.discovery(new URL(at.issuer), id, {}, auth, options)
}

/** Sends the browser there; the address at which the app gets its answer. */
async function visit(url: URL): Promise<URL> {
  at.signIn.decision = { context: { patient: 'p1' } }
  return new URL((await createStubBrowser(at.issuer).follow(url.href)).url)
}

describe('openid-client', () => {
  test('pushes its request, is bound to its key, and refreshes', async () => {
    const { id, secret } = await at.addApp({ public: false, dpopBound: true, requirePar: true })
    const config = await configure(id, openid.ClientSecretPost(secret))
    const verifier = openid.randomPKCECodeVerifier()
    const state = openid.randomState()
    const keys = await openid.randomDPoPKeyPair('ES256')
    const DPoP = openid.getDPoPHandle(config, keys)
    const url = await openid.buildAuthorizationUrlWithPAR(
      config,
      {
        redirect_uri: REDIRECT_URI,
        scope: SCOPE,
        state,
        aud: at.fhir,
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      },
      { DPoP },
    )
    assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri'])
    const checks = { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true }
    const answer = await visit(url)
    const tokens = await openid.authorizationCodeGrant(config, answer, checks, undefined, { DPoP })
    assert.equal(tokens.token_type, 'dpop')
    assert.equal(tokens.claims()?.fhirUser, `${at.fhir}/Practitioner/carla`)
    assert.ok((claimsOf(tokens.access_token).cnf as { jkt?: string }).jkt)
    assert.equal(tokens.scope, SCOPE)

    const refreshed = await openid.refreshTokenGrant(
      config,
      tokens.refresh_token ?? '',
      undefined,
      {
        DPoP,
      },
    )
    assert.equal(refreshed.token_type, 'dpop')
    assert.equal(refreshed.patient, 'p1')
    const plain = await exchange(at.address, {
      grant_type: 'refresh_token',
      refresh_token: refreshed.refresh_token ?? '',
      ...{ client_id: id, client_secret: secret },
    })
    assert.equal(plain.status, 400, 'not without a proof')

    const reused = await visit(url)
    assert.ok(reused.href.startsWith(at.issuer), 'a request_uri works once')
  })

  test('of a public app keeps its refresh token bound to the key', async () => {
    const config = await configure(app)
    const verifier = openid.randomPKCECodeVerifier()
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT_URI,
      scope: SCOPE,
      aud: at.fhir,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    })
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
    const other = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
    const answer = await visit(url)
    const checks = { pkceCodeVerifier: verifier, idTokenExpected: true }
    const tokens = await openid.authorizationCodeGrant(config, answer, checks, undefined, { DPoP })
    const refresh = (handle: openid.DPoPHandle) =>
      openid.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP: handle })
    await assert.rejects(refresh(other), { error: 'invalid_grant' })
    const first = await refresh(DPoP)
    const again = await refresh(DPoP)
    assert.equal(again.refresh_token, first.refresh_token, 'repeated within the grace window')
    await assert.rejects(refresh(other), { error: 'invalid_grant' })
    const next = await openid.refreshTokenGrant(config, first.refresh_token ?? '', undefined, {
      DPoP,
    })
    assert.ok(next.access_token, 'and the family lives')
  })

  test('signs its request', async () => {
    const { id, key, secret } = await signingApp()
    const now = Math.floor(Date.now() / 1000)
    const { params, verifier } = authorizationOf(at, id)
    const { aud: _, ...signed } = params
    const claims = {
      ...signed,
      resource: at.fhir,
      iss: id,
      aud: at.issuer,
      exp: now + 60,
      nbf: now,
    }
    const url = (request: string) =>
      new URL(`${at.issuer}/oauth/authorize?${new URLSearchParams({ client_id: id, request })}`)
    const answer = await visit(url(jwt(key, claims)))
    assert.ok(answer.searchParams.get('code'), answer.href)
    const { status, body } = await exchange(at.address, {
      grant_type: 'authorization_code',
      code: answer.searchParams.get('code') ?? '',
      redirect_uri: REDIRECT_URI,
      code_verifier: verifier,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: jwt(key, {
        ...{ iss: id, sub: id, aud: `${at.issuer}/oauth/token` },
        ...{ exp: now + 60, iat: now, jti: randomUUID() },
      }),
    })
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(secret, '')

    const { privateKey: stranger } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const forged = { ...key, privateKey: stranger }
    for (const request of [
      jwt(forged as never, claims),
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`,
      jwt(key, { ...claims, aud: 'https://elsewhere.example' }),
    ]) {
      const refused = await visit(url(request))
      assert.equal(refused.searchParams.get('code'), null, request)
    }
  })
})

describe('a client', () => {
  test('that must push its request cannot do without; one that must prove its key neither', async () => {
    const pushing = await at.addApp({ requirePar: true })
    const { params } = authorizationOf(at, pushing.id)
    const query = new URLSearchParams(params)
    const answer = await visit(new URL(`${at.issuer}/oauth/authorize?${query}`))
    assert.equal(answer.searchParams.get('error'), 'invalid_request')

    const bound = await at.addApp({ dpopBound: true })
    at.signIn.decision = { context: { patient: 'p1' } }
    at.refusals.length = 0
    const { status, body } = await launch(at, bound.id)
    assert.equal(status, 400, JSON.stringify(body))
    assert.match(body.error_description, /DPoP/)
  })

  test('cannot use what another one has pushed', async () => {
    const other = await at.addApp()
    const { params } = authorizationOf(at, app)
    const response = await fetch(`${at.address}/oauth/par`, {
      method: 'POST',
      body: new URLSearchParams(params),
    })
    assert.equal(response.status, 201)
    assert.equal(response.headers.get('cache-control'), 'no-store')
    const pushed = (await response.json()) as { request_uri: string; expires_in: number }
    assert.ok(pushed.expires_in <= 60)
    const query = (client_id: string) =>
      new URL(
        `${at.issuer}/oauth/authorize?${new URLSearchParams({ client_id, request_uri: pushed.request_uri, scope: 'user/*.cruds' })}`,
      )
    const stolen = await visit(query(other.id))
    assert.equal(stolen.searchParams.get('code'), null)
    at.signIn.interactions.length = 0
    const mine = await visit(query(app))
    assert.ok(mine.searchParams.get('code'), mine.href)
    assert.equal(at.signIn.interactions[0]?.params.scope, params.scope, 'as pushed, not as added')
  })

  test('that pushes what cannot be granted is told there, and so is the operator', async () => {
    for (const [changes, error] of [
      [{ aud: 'https://evil.example' }, 'invalid_target'],
      [{ aud: undefined }, 'invalid_request'],
      [{ scope: 'system/*.rs' }, 'invalid_scope'],
      [{ code_challenge_method: 'plain' }, 'invalid_request'],
      [{ redirect_uri: 'https://evil.example' }, 'invalid_request'],
    ] as const) {
      at.refusals.length = 0
      const { params } = authorizationOf(at, app, changes)
      const response = await fetch(`${at.address}/oauth/par`, {
        method: 'POST',
        body: new URLSearchParams(params),
      })
      const body = (await response.json()) as { error: string }
      assert.equal(response.status, 400)
      assert.equal(body.error, error, JSON.stringify(body))
      assert.equal(at.refusals[0]?.path, '/oauth/par')
    }
  })
})

interface SigningApp {
  readonly privateKey: ReturnType<typeof generateKeyPairSync>['privateKey']
  readonly kid: string
}

async function signingApp() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const jwk = publicKey.export({ format: 'jwk' }) as JsonWebKey
  const kid = createHash('sha256').update(JSON.stringify(jwk)).digest('hex').slice(0, 8)
  const app = await at.addApp({
    public: false,
    jwks: { keys: [{ ...jwk, kid, alg: 'ES384', use: 'sig' }] },
  })
  return { ...app, key: { privateKey, kid } as unknown as SigningApp }
}

function jwt({ privateKey, kid }: SigningApp, claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part({ alg: 'ES384', kid, typ: 'JWT' })}.${part(claims)}`
  const key = { key: privateKey as never, dsaEncoding: 'ieee-p1363' } as never
  return `${input}.${sign('sha384', Buffer.from(input), key).toString('base64url')}`
}
