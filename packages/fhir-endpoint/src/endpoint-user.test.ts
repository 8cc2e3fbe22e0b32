import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_POLICY } from '@scopegate/smart-scopes'
import { BASE } from './test-support/endpoint-under-test.ts'
import { seededEndpoint } from './test-support/seeded-endpoint.ts'

const t = await seededEndpoint()
await t.put({ resourceType: 'RelatedPerson', id: 'R1', patient: { reference: 'Patient/P1' } })
await t.put({
  resourceType: 'RelatedPerson',
  id: 'R2',
  active: false,
  patient: { reference: 'Patient/P1' },
})
const scope = 'user/Observation.rs'
const total = async (fhirUser: string, claims: Record<string, unknown> = {}) => {
  const answer = await t.send('Observation?_summary=count', {
    scope,
    fhirUser,
    claims: { jti: fhirUser, ...claims },
  })
  return answer.status === 200 ? answer.json.total : answer.json.issue[0].details.coding[0].code
}

test('a patient as user sees the own record', async () => {
  assert.equal(await total('Patient/P1'), 6)
  assert.equal(await total(`${BASE}/Patient/P2`), 2)
})

test('a related person sees the record of the patient it is stored with, if it is active', async () => {
  assert.equal(await total('RelatedPerson/R1'), 6)
  assert.equal(await total(`${BASE}/RelatedPerson/R1`), 6)
  for (const fhirUser of ['RelatedPerson/R2', 'RelatedPerson/nobody']) {
    assert.equal(await total(fhirUser), 'user_patients_unknown')
  }
  assert.equal(await total('https://elsewhere.example/RelatedPerson/R1'), 'user_context_invalid')
})

test('a practitioner sees nothing without a policy, everything where it says so', async () => {
  assert.equal(await total('Practitioner/PR1'), 'user_policy_none')
  const open = await seededEndpoint(undefined, {
    policy: { ...DEFAULT_POLICY, userPolicy: 'all', baseUrls: [BASE] },
  })
  const answer = await open.send('Observation?_summary=count', {
    scope,
    fhirUser: 'Practitioner/PR1',
  })
  assert.equal(answer.json.total, 8)
})
