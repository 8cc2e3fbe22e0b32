import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import * as oauth from 'oauth4webapi'
import { visitAuthorizeUrl } from './support/launch-app.ts'
import { openSmartServer } from './support/open-smart-server.ts'

// A certified client that was not written here: https://github.com/panva/oauth4webapi
const SCOPE = 'launch/patient openid fhirUser offline_access patient/Patient.rs'
const LOOPBACK = { [oauth.allowInsecureRequests]: true }

const server = await openSmartServer()
after(() => server.close())
const person = await server.user()
const issuer = new URL(server.url)
const as = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, LOOPBACK),
)

describe('oauth4webapi', () => {
  test('PAR, code with PKCE and DPoP, refresh, for a public client', async () => {
    const app = await server.app({ scopes: SCOPE, set: { dpop_bound_access_tokens: true } })
    const client: oauth.Client = { client_id: app.clientId }
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
    const verifier = oauth.generateRandomCodeVerifier()
    const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
    const parameters = {
      response_type: 'code',
      redirect_uri: app.redirectUri,
      scope: SCOPE,
      aud: server.fhirUrl,
      state,
      nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }
    const push = () =>
      oauth.pushedAuthorizationRequest(as, client, oauth.None(), parameters, { DPoP, ...LOOPBACK })
    const pushed = await retryWithNonce(async () =>
      oauth.processPushedAuthorizationResponse(as, client, await push()),
    )
    const url = new URL(as.authorization_endpoint ?? '')
    url.searchParams.set('client_id', app.clientId)
    url.searchParams.set('request_uri', pushed.request_uri)
    const callback = await visitAuthorizeUrl(url, person, { patient: 'patient-1' })
    const params = oauth.validateAuthResponse(as, client, callback, state)
    const exchange = () =>
      oauth.authorizationCodeGrantRequest(
        as,
        client,
        oauth.None(),
        params,
        app.redirectUri,
        verifier,
        { DPoP, ...LOOPBACK },
      )
    const tokens = await retryWithNonce(async () =>
      oauth.processAuthorizationCodeResponse(as, client, await exchange(), {
        expectedNonce: nonce,
        requireIdToken: true,
      }),
    )
    assert.equal(tokens.patient, 'patient-1')
    assert.equal(tokens.token_type, 'dpop')

    const read = await retryWithNonce(() =>
      oauth.protectedResourceRequest(
        tokens.access_token,
        'GET',
        new URL(`${server.fhirUrl}/Patient/patient-1`),
        undefined,
        undefined,
        { DPoP, ...LOOPBACK },
      ),
    )
    assert.equal(read.status, 200)

    const refreshed = await retryWithNonce(async () =>
      oauth.processRefreshTokenResponse(
        as,
        client,
        await oauth.refreshTokenGrantRequest(as, client, oauth.None(), tokens.refresh_token ?? '', {
          DPoP,
          ...LOOPBACK,
        }),
      ),
    )
    assert.equal(refreshed.patient, 'patient-1')
  })

  test('a resource server that validates our access tokens by RFC 9068', async () => {
    const app = await server.app({ scopes: SCOPE, as: 'secret' })
    const { accessToken } = await server.launch(app, person, { scope: SCOPE, patient: 'patient-1' })
    const request = new Request(`${server.fhirUrl}/Patient/patient-1`, {
      headers: { authorization: `Bearer ${accessToken}` },
    })
    const claims = await oauth.validateJwtAccessToken(as, request, server.fhirUrl, LOOPBACK)
    assert.equal(claims.client_id, app.clientId)
    assert.equal(claims.sub, person.id)
    assert.equal(claims.patient, 'patient-1')
  })

  test('introspection and revocation with client_secret_post', async () => {
    const app = await server.app({ scopes: SCOPE, as: 'secret' })
    const client: oauth.Client = { client_id: app.clientId }
    const secret = oauth.ClientSecretPost(app.secret ?? '')
    const { accessToken } = await server.launch(app, person, { scope: SCOPE, patient: 'patient-1' })
    const introspect = async () =>
      oauth.processIntrospectionResponse(
        as,
        client,
        await oauth.introspectionRequest(as, client, secret, accessToken, LOOPBACK),
      )
    assert.equal((await introspect()).active, true)
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, secret, accessToken, LOOPBACK),
    )
    assert.deepEqual(await introspect(), { active: false })
  })

  test('backend services: private_key_jwt with RS384', async () => {
    const scope = 'system/Patient.rs'
    const app = await server.app({ scopes: scope, as: 'RS384', grants: ['client_credentials'] })
    const { kid, alg: _, use: __, ...jwk } = app.key!
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' }
    const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign'])
    const client: oauth.Client = { client_id: app.clientId }
    const tokens = await oauth.processClientCredentialsResponse(
      as,
      client,
      await oauth.clientCredentialsGrantRequest(
        as,
        client,
        oauth.PrivateKeyJwt({ key, kid }),
        { scope },
        LOOPBACK,
      ),
    )
    assert.equal(tokens.scope, scope)
  })
})

/** What it recommends: once more when the server asks for a nonce in the proof. */
async function retryWithNonce<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call()
  } catch (error) {
    if (oauth.isDPoPNonceError(error)) return call()
    throw error
  }
}
