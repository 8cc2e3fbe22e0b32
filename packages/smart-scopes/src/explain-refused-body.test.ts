import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allowedFor, type FhirResource } from '@scopegate/fhir-model'
import { compileAccess, explainRefusedBody } from '@scopegate/smart-scopes'

const { access } = compileAccess({
  issuer: 'i',
  subject: 's',
  clientId: 'c',
  patient: 'P1',
  scope:
    'patient/Observation.c?category=laboratory patient/Observation.c?code=1&status=final patient/Patient.c',
})

function observation(
  patient: string | undefined,
  category: string,
  performer?: string,
): FhirResource {
  return {
    resourceType: 'Observation',
    category: [{ coding: [{ code: category }] }],
    ...(patient === undefined ? {} : { subject: { reference: `Patient/${patient}` } }),
    ...(performer === undefined ? {} : { performer: [{ reference: performer }] }),
  }
}
function explain(body: FhirResource) {
  const { code, got, expected } = explainRefusedBody(
    allowedFor(access, 'c', body.resourceType),
    body,
  )
  return { code, got, expected }
}

test('the constraint that is missed least is named', () => {
  assert.deepEqual(explain(observation('P1', 'vital-signs')), {
    code: 'body_outside_constraint',
    got: undefined,
    expected: 'Observation where category is laboratory',
  })
})

test('a body of another patient, or of none, is told so', () => {
  assert.equal(explain(observation('P2', 'laboratory')).code, 'body_outside_compartment')
  assert.equal(explain(observation(undefined, 'laboratory')).code, 'body_outside_compartment')
})

test('a reference to another patient names the parameter, not the patient', () => {
  assert.deepEqual(explain(observation('P1', 'laboratory', 'Patient/P2')), {
    code: 'foreign_patient_reference',
    got: 'performer',
    expected: 'the patient of the token',
  })
})

test('a new patient is not the patient of the token', () => {
  assert.equal(explain({ resourceType: 'Patient' }).code, 'body_outside_constraint')
})
