import assert from 'node:assert/strict'
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { openSmartServer } from '../support/open-smart-server.ts'
import { decodeJwt } from '../support/smart-app.ts'

// Ported from Inferno's group `smart_openid_connect_stu2_2` (g10 1.11, 3.10).
const SCOPE = 'launch/patient openid fhirUser patient/Patient.rs user/Practitioner.rs'

const server = await openSmartServer()
after(() => server.close())
const app = await server.app({ scopes: SCOPE })
const person = await server.user({ fhirUser: 'Practitioner/pract-2' })
const launched = await server.launch(app, person, { scope: SCOPE, patient: 'patient-1' })

interface OpenidConfiguration {
  readonly jwks_uri: string
  readonly issuer: string
  readonly id_token_signing_alg_values_supported: readonly string[]
}

describe('smart_openid_connect_stu2_2', async () => {
  const idToken = launched.token.id_token ?? ''
  const { header, claims } = decodeJwt(idToken)
  const issuer = String(claims.iss).replace(/\/$/, '')
  const discovery = await fetch(`${issuer}/.well-known/openid-configuration`)
  const configuration = (await discovery.json()) as OpenidConfiguration
  const keySet = await fetch(configuration.jwks_uri)
  const { keys } = (await keySet.json()) as { keys: (JsonWebKey & { kid: string })[] }
  const rsaKeys = keys.filter(({ kty }) => kty === 'RSA')

  test('smart_openid_decode_id_token: the ID token is a JWT', () => {
    assert.equal(idToken.split('.').length, 3)
  })

  test('smart_openid_retrieve_configuration: the issuer publishes its configuration', () => {
    assert.equal(discovery.status, 200)
    assert.match(discovery.headers.get('content-type') ?? '', /^application\/json/)
  })

  test('smart_openid_required_configuration_fields: with all required fields, and RS256', () => {
    for (const name of [
      'issuer',
      'authorization_endpoint',
      'token_endpoint',
      'jwks_uri',
      'response_types_supported',
      'subject_types_supported',
      'id_token_signing_alg_values_supported',
    ]) {
      assert.ok(name in configuration, name)
    }
    assert.ok(configuration.id_token_signing_alg_values_supported.includes('RS256'))
  })

  test('smart_openid_retrieve_jwks: the key set holds RSA keys', () => {
    assert.equal(keySet.status, 200)
    assert.ok(rsaKeys.length > 0)
    for (const jwk of rsaKeys) assert.ok(createPublicKey({ key: jwk, format: 'jwk' }))
  })

  test('smart_openid_token_header: signed with RS256 by a key of the set', () => {
    assert.equal(header.alg, 'RS256')
    assert.ok(rsaKeys.some(({ kid }) => kid === header.kid))
  })

  test('smart_openid_token_payload: required claims, and the signature is good', () => {
    const jwk = rsaKeys.find(({ kid }) => kid === header.kid)!
    const [signed, signature] = [idToken.slice(0, idToken.lastIndexOf('.')), idToken.split('.')[2]!]
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    assert.ok(verify('sha256', Buffer.from(signed), key, Buffer.from(signature, 'base64url')))
    assert.equal(claims.iss, configuration.issuer)
    assert.deepEqual([claims.aud].flat(), [app.clientId])
    assert.ok(Number(claims.exp) > Date.now() / 1000)
    assert.ok(Number(claims.iat) <= Date.now() / 1000 + 60)
    assert.ok(typeof claims.sub === 'string' && claims.sub !== '' && claims.sub.length < 256)
    assert.equal(claims.nonce, launched.request.nonce)
  })

  test('smart_openid_fhir_user_claim: the user can be read', async () => {
    const fhirUser = String(claims.fhirUser)
    assert.match(fhirUser, /(^|\/)(Patient|Practitioner|RelatedPerson|Person)\/[A-Za-z0-9.-]+$/)
    const response = await server.fhir(
      launched.accessToken,
      fhirUser.split('/').slice(-2).join('/'),
    )
    assert.equal(response.status, 200)
    const resource = (await response.json()) as { resourceType: string; id: string }
    assert.equal(`${resource.resourceType}/${resource.id}`, 'Practitioner/pract-2')
  })

  test('smart_cors_openid_fhir_user_claim: from the origin of the app, too', async () => {
    const { origin } = new URL(app.redirectUri)
    const response = await server.fhir(launched.accessToken, 'Practitioner/pract-2', {
      headers: { origin },
    })
    assert.equal(response.status, 200)
    assert.ok(['*', origin].includes(response.headers.get('access-control-allow-origin') ?? ''))
  })
})
