import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Client } from 'fhir-kit-client'
import { openSmartServer } from './support/open-smart-server.ts'

// A FHIR client that was not written here, with a token of a launch:
// https://github.com/Vermonster/fhir-kit-client
const SCOPE = 'launch/patient openid fhirUser patient/Patient.rs patient/Observation.rs'

const server = await openSmartServer()
after(() => server.close())

// biome-ignore lint/suspicious/noExplicitAny: resources of many types
type Any = any

test('fhir-kit-client finds the endpoints, and reads as far as the token goes', async () => {
  const client = new Client({ baseUrl: server.fhirUrl })
  const found: Any = await client.smartAuthMetadata()
  assert.equal(String(found.authorizeUrl), server.authorizeUrl)
  assert.equal(String(found.tokenUrl), server.tokenUrl)

  const app = await server.app({ scopes: SCOPE })
  const { accessToken } = await server.launch(app, await server.user(), {
    scope: SCOPE,
    patient: 'patient-1',
  })
  client.bearerToken = accessToken
  const patient: Any = await client.read({ resourceType: 'Patient', id: 'patient-1' })
  assert.equal(patient.id, 'patient-1')
  const results: Any = await client.search({
    resourceType: 'Observation',
    searchParams: { _count: '5' },
  })
  for (const { resource } of results.entry) {
    assert.equal(resource.subject.reference, 'Patient/patient-1')
  }
  await assert.rejects(client.read({ resourceType: 'Patient', id: 'patient-2' }), (error: Any) => {
    assert.equal(error.response.status, 404)
    return true
  })
  await assert.rejects(client.search({ resourceType: 'Condition' }), (error: Any) => {
    assert.equal(error.response.status, 403)
    return true
  })
})
