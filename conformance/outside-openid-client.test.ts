import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import * as oidc from 'openid-client'
import { visitAuthorizeUrl } from './support/launch-app.ts'
import { openSmartServer } from './support/open-smart-server.ts'
import type { SmartApp } from './support/smart-app.ts'

// A certified client that was not written here: https://github.com/panva/openid-client
const SCOPE =
  'launch/patient openid fhirUser offline_access patient/Patient.rs patient/Observation.rs'

const server = await openSmartServer()
after(() => server.close())
const person = await server.user()

async function configure(app: SmartApp, authentication?: oidc.ClientAuth) {
  return oidc.discovery(new URL(server.url), app.clientId, app.secret, authentication, {
    execute: [oidc.allowInsecureRequests],
  })
}

async function parametersOf(app: SmartApp, more: Record<string, string> = {}) {
  const verifier = oidc.randomPKCECodeVerifier()
  const [state, nonce] = [oidc.randomState(), oidc.randomNonce()]
  return {
    checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce },
    parameters: {
      redirect_uri: app.redirectUri,
      scope: SCOPE,
      aud: server.fhirUrl,
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...more,
    },
  }
}

const patientUrl = new URL(`${server.fhirUrl}/Patient/patient-1`)

describe('openid-client', () => {
  test('code with PKCE, ID token, userinfo, FHIR, refresh, introspection, revocation', async () => {
    const app = await server.app({ scopes: SCOPE, as: 'secret' })
    const config = await configure(app)
    const { checks, parameters } = await parametersOf(app)
    const callback = await visitAuthorizeUrl(
      oidc.buildAuthorizationUrl(config, parameters),
      person,
      { patient: 'patient-1' },
    )
    // It checks state, the issuer in the response, nonce, and the ID token with its signature.
    const tokens = await oidc.authorizationCodeGrant(config, callback, {
      ...checks,
      idTokenExpected: true,
    })
    assert.equal(tokens.patient, 'patient-1')
    const claims = tokens.claims()
    assert.match(String(claims?.fhirUser), /Practitioner\/pract-1$/)
    const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '')
    assert.match(String(userinfo.fhirUser), /Practitioner\/pract-1$/)

    const read = (token: string) =>
      oidc.fetchProtectedResource(config, token, patientUrl, 'GET').catch((error) => error)
    assert.equal((await read(tokens.access_token)).status, 200)

    const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '')
    assert.equal(refreshed.patient, 'patient-1')
    assert.equal((await read(refreshed.access_token)).status, 200)

    const introspected = await oidc.tokenIntrospection(config, refreshed.access_token)
    assert.equal(introspected.active, true)
    assert.equal(introspected.patient, 'patient-1')

    await oidc.tokenRevocation(config, refreshed.refresh_token ?? '')
    const { active } = await oidc.tokenIntrospection(config, refreshed.access_token)
    assert.equal(active, false)
    await assert.rejects(oidc.refreshTokenGrant(config, refreshed.refresh_token ?? ''), {
      error: 'invalid_grant',
    })
  })

  test('a pushed authorization request', async () => {
    const app = await server.app({
      scopes: SCOPE,
      as: 'secret',
      set: { require_pushed_authorization_requests: true },
    })
    const config = await configure(app)
    const { checks, parameters } = await parametersOf(app)
    const url = await oidc.buildAuthorizationUrlWithPAR(config, parameters)
    assert.equal(url.searchParams.get('scope'), null)
    const callback = await visitAuthorizeUrl(url, person, { patient: 'patient-1' })
    const tokens = await oidc.authorizationCodeGrant(config, callback, checks)
    assert.equal(tokens.patient, 'patient-1')
  })

  test('a public client whose tokens are bound by DPoP', async () => {
    const app = await server.app({ scopes: SCOPE, set: { dpop_bound_access_tokens: true } })
    const config = await configure(app, oidc.None())
    const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'))
    const { checks, parameters } = await parametersOf(app)
    const callback = await visitAuthorizeUrl(
      oidc.buildAuthorizationUrl(config, parameters),
      person,
      { patient: 'patient-1' },
    )
    const tokens = await oidc.authorizationCodeGrant(config, callback, checks, undefined, { DPoP })
    assert.equal(tokens.token_type, 'dpop')
    const read = await oidc.fetchProtectedResource(
      config,
      tokens.access_token,
      patientUrl,
      'GET',
      undefined,
      undefined,
      { DPoP },
    )
    assert.equal(read.status, 200)
    const asBearer = await server.fhir(tokens.access_token, 'Patient/patient-1')
    assert.equal(asBearer.status, 401)

    const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, {
      DPoP,
    })
    assert.equal(refreshed.token_type, 'dpop')
    const otherKey = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'))
    await assert.rejects(
      oidc.refreshTokenGrant(config, refreshed.refresh_token ?? '', undefined, { DPoP: otherKey }),
      { error: 'invalid_grant' },
    )
  })

  test('backend services: private_key_jwt with ES384', async () => {
    const app = await server.app({
      scopes: 'system/Patient.rs',
      as: 'ES384',
      grants: ['client_credentials'],
    })
    const { kid, alg: _, use: __, ...jwk } = app.key!
    const key = await crypto.subtle.importKey(
      'jwk',
      jwk,
      { name: 'ECDSA', namedCurve: 'P-384' },
      false,
      ['sign'],
    )
    const config = await configure(app, oidc.PrivateKeyJwt({ key, kid }))
    const tokens = await oidc.clientCredentialsGrant(config, { scope: 'system/Patient.rs' })
    assert.equal(tokens.scope, 'system/Patient.rs')
    assert.ok((tokens.expires_in ?? Infinity) <= 300)
    const read = await oidc.fetchProtectedResource(config, tokens.access_token, patientUrl, 'GET')
    assert.equal(read.status, 200)
  })

  test('the user who signs out is led to the app, and signs in again', async () => {
    const postLogout = 'http://127.0.0.1:9/bye'
    const app = await server.app({
      scopes: SCOPE,
      as: 'secret',
      set: { post_logout_redirect_uris: [postLogout] },
    })
    const config = await configure(app)
    assert.ok(oidc.buildEndSessionUrl(config, { post_logout_redirect_uri: postLogout }))
  })
})
