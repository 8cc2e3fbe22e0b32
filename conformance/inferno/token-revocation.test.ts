import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { openSmartServer } from '../support/open-smart-server.ts'

// Ported from Inferno's group `g10_token_revocation` (9.3). Test 01 attests that a patient's request
// ends the access; here the app revokes, and the user, on the page of their grants.
const SCOPE = 'launch/patient openid fhirUser offline_access patient/Patient.rs'

const server = await openSmartServer()
after(() => server.close())
const person = await server.user()

describe('g10_token_revocation', async () => {
  const app = await server.app({ scopes: SCOPE, as: 'secret' })
  const launched = await server.launch(app, person, { scope: SCOPE, patient: 'patient-1' })
  assert.equal((await server.fhir(launched.accessToken, 'Patient/patient-1')).status, 200)
  const revocation = await app.post(server.configuration.revocation_endpoint, {
    token: launched.token.refresh_token ?? '',
  })

  test('the revocation is answered 200', () => {
    assert.equal(revocation.status, 200)
  })

  test('9.3.02: the access token no longer reads the patient', async () => {
    const { status } = await server.fhir(launched.accessToken, 'Patient/patient-1')
    assert.ok([401, 403, 404].includes(status), String(status))
  })

  test('9.3.03: the refresh token is refused', async () => {
    const { status, json } = await app.refresh(launched.token.refresh_token ?? '')
    assert.ok([400, 401].includes(status))
    assert.equal(json.error, 'invalid_grant')
  })
})
