import assert from 'node:assert/strict'
import { test } from 'node:test'
import { operationOutcome } from '@scopegate/checks'
import { allowedFor, type FhirResource } from '@scopegate/fhir-model'
import { compileAccess, explainHidden } from '@scopegate/smart-scopes'

const { access } = compileAccess({
  issuer: 'i',
  subject: 's',
  clientId: 'c',
  patient: 'P1',
  scope: 'patient/Observation.r?category=laboratory patient/Patient.r patient/Provenance.r',
})

function observation(patient: string, category: string): FhirResource {
  return {
    resourceType: 'Observation',
    id: 'o',
    category: [{ coding: [{ code: category }] }],
    subject: { reference: `Patient/${patient}` },
  }
}
function explain(resource: FhirResource) {
  return explainHidden(allowedFor(access, 'r', resource.resourceType), resource)
}

test('the operator learns which rule hides a resource', () => {
  assert.equal(explain(observation('P2', 'laboratory')).code, 'compartment_mismatch')
  assert.equal(explain({ resourceType: 'Patient', id: 'P2' }).code, 'compartment_mismatch')
  const provenance = {
    resourceType: 'Provenance',
    id: 'v',
    target: [{ reference: 'Observation/o' }],
  }
  assert.equal(explain(provenance).code, 'not_visible_through_others')
  const constraint = explain(observation('P1', 'vital-signs'))
  assert.equal(constraint.code, 'constraint_mismatch')
  assert.equal(constraint.expected, 'Observation where category is laboratory')
})

test('the caller learns nothing, and no reason holds data', () => {
  for (const patient of ['P1', 'P2']) {
    const check = explain(observation(patient, 'vital-signs'))
    assert.equal(check.got, undefined)
    assert.doesNotMatch(JSON.stringify(check), /vital-signs|P2/)
    assert.deepEqual(operationOutcome([check]).issue[0]?.details, { text: 'not found' })
  }
})
