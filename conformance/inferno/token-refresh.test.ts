import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { openSmartServer } from '../support/open-smart-server.ts'
import { assertTokenBody, assertTokenHeaders } from './token-body.ts'

// Ported from Inferno's group `smart_token_refresh_stu2` as g10 runs it (1.6, 3.6, 9.12.3): without
// scopes, with scopes, with a token that is none; for each way in which an app authenticates.
const SCOPE =
  'launch/patient openid fhirUser offline_access patient/Patient.rs patient/Observation.rs'

const server = await openSmartServer()
after(() => server.close())
const person = await server.user()

for (const as of ['public', 'secret', 'RS384'] as const) {
  describe(`g10_token_refresh_stu2, client ${as}`, async () => {
    const app = await server.app({ scopes: SCOPE, as })
    const launched = await server.launch(app, person, { scope: SCOPE, patient: 'patient-2' })
    const granted = launched.token.scope ?? ''
    const without = await app.refresh(launched.token.refresh_token ?? '')
    const next = without.json.refresh_token ?? launched.token.refresh_token ?? ''
    const withScopes = await app.refresh(next, { set: { scope: granted } })

    for (const [name, answer] of Object.entries({ without, with: withScopes })) {
      test(`g10_token_refresh_${name}_scopes: a new access token comes`, () => {
        assert.equal(answer.status, 200, JSON.stringify(answer.json))
        assert.notEqual(answer.json.access_token, launched.token.access_token)
      })

      test(`g10_token_refresh_body_${name}_scopes: with all members, and no further scope`, () => {
        assertTokenBody(answer.json)
        const before = new Set(granted.split(' '))
        assert.deepEqual(
          answer.json.scope?.split(' ').filter((scope) => !before.has(scope)),
          [],
        )
      })

      test(`smart_token_response_headers: not cached, ${name} scopes`, () => {
        assertTokenHeaders(answer)
      })
    }

    test('g10_patient_context: the patient can be read after the refresh', async () => {
      assert.equal(withScopes.json.patient, 'patient-2')
      const response = await server.fhir(withScopes.json.access_token, 'Patient/patient-2')
      assert.equal(response.status, 200)
    })

    test('g10_invalid_token_refresh: a token that is none is refused', async () => {
      const { status, json } = await app.refresh(randomUUID())
      assert.ok([400, 401].includes(status))
      assert.equal(json.error, 'invalid_grant')
    })
  })
}
