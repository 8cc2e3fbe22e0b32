import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderText, wwwAuthenticate } from '@scopegate/checks'
import { ALL, allowedFor, RESOURCE_TYPES } from '@scopegate/fhir-model'
import {
  canJoin,
  compileAccess,
  DEFAULT_POLICY,
  decide,
  describeAccess,
  formatAccessDescription,
  type GrantedToken,
} from '@scopegate/smart-scopes'

const LAB = 'category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory'

function token(scope: string, more: Partial<GrantedToken> = {}): GrantedToken {
  return { issuer: 'https://idp.example', subject: 's', clientId: 'c', scope, ...more }
}

test('a wildcard of a system leaves every type unrestricted, under its letters only', () => {
  const { access } = compileAccess(token('system/*.rs'))
  for (const type of RESOURCE_TYPES) {
    assert.equal(allowedFor(access, 's', type), ALL)
    assert.equal(allowedFor(access, 'c', type).kind, 'none')
  }
})

test('nothing that is granted is unrestricted under a patient, but what is shared', () => {
  const { access } = compileAccess(token('patient/*.cruds', { patient: 'P1' }))
  const unrestricted = RESOURCE_TYPES.filter((type) => allowedFor(access, 'r', type).kind === 'all')
  assert.deepEqual(unrestricted, Object.keys(DEFAULT_POLICY.sharedTypes).sort())
  for (const letter of ['c', 'u', 'd'] as const)
    for (const type of RESOURCE_TYPES) assert.notEqual(allowedFor(access, letter, type).kind, 'all')
})

test('writing under a patient looks at the references to other patients, under a user it does not', () => {
  const patient = compileAccess(token('patient/Observation.cruds', { patient: 'P1' }))
  const user = compileAccess(token('user/Observation.cruds', { fhirUser: 'Patient/P1' }))
  for (const letter of ['c', 'u'] as const) {
    assert.match(
      JSON.stringify(allowedFor(patient.access, letter, 'Observation')),
      /no-foreign-patient/,
    )
    assert.doesNotMatch(
      JSON.stringify(allowedFor(user.access, letter, 'Observation')),
      /no-foreign-patient/,
    )
  }
})

test('two relatives are two records', () => {
  const { access } = compileAccess(
    token('user/Observation.r user/Patient.r', {
      fhirUser: 'RelatedPerson/R',
      userPatients: ['P2', 'P1', 'P1', 'not an id'],
    }),
  )
  const ids = [
    ...JSON.stringify(allowedFor(access, 'r', 'Observation')).matchAll(/"id":"(\w+)"/g),
  ].map(([, id]) => id)
  assert.deepEqual(ids, ['P1', 'P2'])
  assert.deepEqual(allowedFor(access, 'r', 'Patient'), { kind: 'id', ids: ['P1', 'P2'] })
})

test('a void scope is reported with what to do', () => {
  const { voided } = compileAccess(
    token('patient/Observation.rs?categry=x patient/Observation.rs', {
      fhirUser: 'Practitioner/1',
    }),
  )
  assert.deepEqual(
    voided.map(({ scope, code }) => [scope, code]),
    [
      ['patient/Observation.rs?categry=x', 'scopes_void'],
      ['patient/Observation.rs', 'patient_context_missing'],
    ],
  )
  assert.match(voided[0]!.fix, /category/)
})

test('a denial explains itself to caller and operator', () => {
  const decision = decide(compileAccess(token(`patient/Observation.r?${LAB}`, { patient: 'P1' })), {
    interaction: 'search-type',
    type: 'Observation',
  })
  assert.ok(!decision.allowed)
  assert.deepEqual(decision.because, [
    { scope: `patient/Observation.r?${LAB}`, says: 'lacks_letter' },
  ])
  assert.match(
    wwwAuthenticate(decision.checks, { realm: 'r4', scope: decision.challengeScope })!,
    /error="insufficient_scope".*needed Observation\.s.*scope="patient\/Observation\.s"$/,
  )
  assert.match(
    renderText(decision.checks),
    /✗ interaction {2}expected Observation\.s · got patient\/Observation\.r/,
  )
})

test('an include may fetch what may be read, a chain needs search', () => {
  const compiled = compileAccess(token('system/Patient.r system/Encounter.s'))
  const answers = ['Patient', 'Encounter', 'Condition'].map((type) => [
    canJoin(compiled, type, 'include'),
    canJoin(compiled, type, 'search'),
  ])
  assert.deepEqual(answers, [
    [true, false],
    [true, true],
    [false, false],
  ])
})

test('the fingerprint changes with the caller and the policy', () => {
  const base = token('patient/Observation.rs', { patient: 'P1' })
  const prints = [
    compileAccess(base),
    compileAccess({ ...base, patient: 'P2' }),
    compileAccess({ ...base, clientId: 'other' }),
    compileAccess({ ...base, subject: 'other' }),
    compileAccess({ ...base, issuer: 'https://other.example' }),
    compileAccess({ ...base, fhirUser: 'Patient/P1' }),
    compileAccess({ ...base, scope: 'patient/Observation.r' }),
    compileAccess(base, { ...DEFAULT_POLICY, compartment: 'definition' }),
    compileAccess(base, { ...DEFAULT_POLICY, sharedTypes: {} }),
  ].map(({ access }) => access.fingerprint)
  assert.equal(new Set(prints).size, prints.length)
})

test('what a token permits can be read as words', () => {
  const { access } = compileAccess(
    token(`patient/Observation.rs?${LAB} patient/Observation.c patient/Patient.r`, {
      patient: 'P1',
    }),
  )
  assert.equal(
    formatAccessDescription(describeAccess(access)),
    [
      'Observation: create in the record of Patient/P1 and without references to other patients',
      'Observation: read, search in the record of Patient/P1 and where category is http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
      'Patient: read with id P1',
    ].join('\n'),
  )
})
