import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { openSmartServer } from '../support/open-smart-server.ts'
import { assertScopesGranted, assertTokenBody, PATIENT_TYPES, STANDALONE_V1 } from './token-body.ts'

// Ported from Inferno's group `g10_smart_v1_scopes` (9.13): scopes of SMART 1 at a server of SMART 2.
const server = await openSmartServer()
after(() => server.close())
const app = await server.app({ scopes: STANDALONE_V1, as: 'secret' })
const launched = await server.launch(app, await server.user(), {
  scope: STANDALONE_V1,
  patient: 'patient-1',
})

describe('g10_smart_v1_scopes', () => {
  test('smart_token_response_body_stu2_2: the launch succeeds', () => {
    assertTokenBody(launched.token)
  })

  test('g10_smart_scopes: scopes of version 1 are granted', () => {
    const required = ['openid', 'fhirUser', 'launch/patient', 'offline_access']
    assertScopesGranted(launched.token.scope, 'patient', required, PATIENT_TYPES)
  })

  test('what is granted unchanged is spelt as it was asked for', () => {
    assert.ok(launched.token.scope?.split(' ').includes('patient/Observation.read'))
  })

  test('g10_unauthorized_access, g10_patient_context: with the token only', async () => {
    assert.equal((await server.fhir(undefined, 'Patient/patient-1')).status, 401)
    assert.equal((await server.fhir(launched.accessToken, 'Patient/patient-1')).status, 200)
  })

  test('a read scope of version 1 reads and searches, and writes nothing', async () => {
    const search = await server.fhir(launched.accessToken, 'Observation?_count=1')
    assert.equal(search.status, 200)
    const write = await server.fhir(launched.accessToken, 'Observation', {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify({
        resourceType: 'Observation',
        status: 'final',
        code: { text: 'x' },
        subject: { reference: 'Patient/patient-1' },
      }),
    })
    assert.equal(write.status, 403)
  })
})
