import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { clientAssertion, JWT_BEARER } from '../support/client-assertion.ts'
import { openSmartServer } from '../support/open-smart-server.ts'

// Ported from Inferno's group `backend_services_authorization` (g10 7, bulk data authorization).
const SCOPE = 'system/*.rs'

const server = await openSmartServer({ withoutSample: true })
after(() => server.close())

for (const as of ['RS384', 'ES384'] as const) {
  describe(`backend_services_authorization, ${as}`, async () => {
    const app = await server.app({ scopes: SCOPE, as, grants: ['client_credentials'] })

    test('smart_backend_services_invalid_grant_type: 400', async () => {
      const { status } = await app.clientCredentials(SCOPE, {
        set: { grant_type: 'not_a_grant_type' },
      })
      assert.equal(status, 400)
    })

    test('smart_backend_services_invalid_client_assertion: 400 or 401', async () => {
      const { status } = await app.clientCredentials(SCOPE, {
        set: { client_assertion_type: 'not_an_assertion_type' },
      })
      assert.ok([400, 401].includes(status))
    })

    test('smart_backend_services_invalid_jwt: 400 or 401', async () => {
      const key = app.key!
      const wrong = [
        'not-a-jwt',
        clientAssertion({ clientId: 'not_an_iss', key }, server.tokenUrl),
        clientAssertion({ clientId: app.clientId, key }, 'https://not.an.aud/token'),
      ]
      for (const client_assertion of wrong) {
        const { status, json } = await app.clientCredentials(SCOPE, {
          set: { client_assertion, client_assertion_type: JWT_BEARER },
        })
        assert.ok([400, 401].includes(status))
        assert.match(json.error ?? '', /^invalid_(client|request)$/)
      }
    })

    test('smart_backend_services_auth_request_success, …_auth_response_body: a token', async () => {
      const { status, json } = await app.clientCredentials(SCOPE)
      assert.ok([200, 201].includes(status), JSON.stringify(json))
      assert.ok(json.access_token)
      assert.equal(json.token_type?.toLowerCase(), 'bearer')
      assert.equal(typeof json.expires_in, 'number')
      assert.ok((json.expires_in ?? 0) <= 300)
      assert.equal(json.scope, SCOPE)
      assert.equal(json.refresh_token, undefined)
      assert.equal((await server.fhir(json.access_token, 'Patient')).status, 200)
    })
  })
}
