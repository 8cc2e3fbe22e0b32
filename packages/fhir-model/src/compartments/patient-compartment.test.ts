import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  compartmentParameters,
  compartmentsOf,
  type FhirResource,
  guardedPatients,
  isInPatientCompartment,
  patientCompartment,
  patientReferences,
  primaryPatients,
  primarySubject,
  RESOURCE_TYPES,
  searchParameter,
} from '@scopegate/fhir-model'
import fc from 'fast-check'

const BASE = 'https://ehr.example/fhir'
const P1 = { reference: 'Patient/p1' }
const P2 = { reference: 'Patient/p2' }
const observation = (members: object): FhirResource => ({
  resourceType: 'Observation',
  ...members,
})
const modes = (resource: FhirResource, patientId = 'p1'): readonly boolean[] =>
  (['definition', 'guarded', 'primary'] as const).map((mode) =>
    isInPatientCompartment(resource, patientId, mode, { base: BASE }),
  )

test('the tables follow CompartmentDefinition', () => {
  assert.deepEqual(patientCompartment('Observation'), ['subject', 'performer'])
  assert.deepEqual(patientCompartment('Group'), ['member'])
  assert.deepEqual(patientCompartment('Task'), [])
  assert.deepEqual(patientCompartment('constructor'), [])
  assert.deepEqual(compartmentParameters('Encounter', 'Observation'), ['encounter'])
  const inside = RESOURCE_TYPES.filter((type) => patientCompartment(type).length > 0)
  assert.equal(inside.length, 66)
  for (const type of inside)
    for (const code of [...patientCompartment(type), ...primarySubject(type)])
      assert.equal(searchParameter(type, code)?.type, 'reference', `${type}.${code}`)
})

test('the primary subject is whom a resource is about, never who takes part', () => {
  assert.deepEqual(primarySubject('Observation'), ['subject', 'patient'])
  assert.deepEqual(primarySubject('Coverage'), ['beneficiary', 'patient'])
  assert.deepEqual(primarySubject('ResearchSubject'), ['individual', 'patient'])
  assert.deepEqual(primarySubject('Group'), ['member'])
  assert.deepEqual(primarySubject('Appointment'), [])
  assert.deepEqual(primarySubject('AppointmentResponse'), [])
  assert.deepEqual(primarySubject('Schedule'), [])
})

test('a resource about the patient is a member in every mode', () => {
  assert.deepEqual(modes(observation({ subject: P1 })), [true, true, true])
  assert.deepEqual(modes(observation({ subject: P1 }), 'p2'), [false, false, false])
})

test('a resource of somebody else in which the patient takes part is guarded', () => {
  assert.deepEqual(modes(observation({ subject: P2, performer: [P1] })), [true, false, false])
  assert.deepEqual(modes({ resourceType: 'AllergyIntolerance', patient: P2, recorder: P1 }), [
    true,
    false,
    false,
  ])
})

test('without a subject, taking part makes a member by definition and guarded', () => {
  assert.deepEqual(modes(observation({ performer: [P1] })), [true, true, false])
  const appointment = {
    resourceType: 'Appointment',
    participant: [{ actor: P1 }, { actor: P2 }],
  }
  assert.deepEqual(modes(appointment), [true, true, false])
  assert.deepEqual(modes(appointment, 'p2'), [true, true, false])
})

test('a subject that is surely no patient is no different patient', () => {
  assert.deepEqual(modes(observation({ subject: { reference: 'Group/g' }, performer: [P1] })), [
    true,
    true,
    false,
  ])
})

const UNCLEAR: readonly (readonly [string, object])[] = [
  ['a foreign URL', { reference: 'https://other.example/fhir/Patient/p1' }],
  ['a URN', { reference: 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0' }],
  ['an identifier only', { identifier: { system: 'urn:mrn', value: '1' } }],
  ['a contained patient', { reference: '#p' }],
  ['a name only', { display: 'Ana' }],
  ['a conditional reference', { reference: 'Patient?identifier=1' }],
]
for (const [what, subject] of UNCLEAR)
  test(`${what} as subject counts as a different patient`, () => {
    assert.deepEqual(modes(observation({ subject })), [false, false, false])
    assert.deepEqual(modes(observation({ subject, performer: [P1] })), [true, false, false])
  })

test('our own absolute URL and a versioned reference count as the patient', () => {
  assert.deepEqual(modes(observation({ subject: { reference: `${BASE}/Patient/p1` } })), [
    true,
    true,
    true,
  ])
  assert.deepEqual(modes(observation({ subject: { reference: 'Patient/p1/_history/3' } })), [
    true,
    true,
    true,
  ])
  const subject = { reference: `${BASE}/Patient/p1` }
  assert.deepEqual(compartmentsOf(observation({ subject })), [])
})

test('a Patient is in its own compartment only; links are not followed', () => {
  const patient = {
    resourceType: 'Patient',
    id: 'p1',
    link: [{ type: 'replaced-by', other: P2 }],
  }
  assert.deepEqual(modes(patient), [true, true, true])
  assert.deepEqual(modes(patient, 'p2'), [false, false, false])
  assert.deepEqual(compartmentsOf({ resourceType: 'Patient' }), [])
})

test('every Patient member of a Group, and every Patient subject of an Account, must be the patient', () => {
  const group = (...entities: object[]): FhirResource => ({
    resourceType: 'Group',
    member: entities.map((entity) => ({ entity })),
  })
  assert.deepEqual(modes(group(P1, { reference: 'Device/d' })), [true, true, true])
  assert.deepEqual(modes(group(P1, P2)), [true, false, false])
  assert.deepEqual(modes(group(P1, { identifier: { value: '2' } })), [true, false, false])
  const account = { resourceType: 'Account', subject: [P1, P2] }
  assert.deepEqual(modes(account), [true, false, false])
})

test('types outside the compartment have no members', () => {
  assert.deepEqual(modes({ resourceType: 'Task', for: P1 }), [false, false, false])
  assert.deepEqual(modes({ resourceType: 'Device', patient: P1 }), [false, false, false])
})

test('Observation.focus confers nothing', () => {
  assert.deepEqual(modes(observation({ focus: [P1] })), [false, false, false])
})

test('patientReferences lists every patient in compartment parameters, with its place', () => {
  const found = patientReferences(
    observation({
      subject: P1,
      performer: [P2, { reference: 'Practitioner/d' }, { identifier: { value: '9' } }],
    }),
  )
  assert.deepEqual(
    found.map(({ param, patientId }) => [param, patientId]),
    [
      ['subject', 'p1'],
      ['performer', 'p2'],
      ['patient', 'p1'],
    ],
  )
})

test('a subject that may be any patient is listed without an id, and keeps its key', () => {
  const subject = { reference: 'https://other.example/fhir/Patient/p1' }
  const [first] = patientReferences(observation({ subject }))
  assert.deepEqual(first, { param: 'subject', key: 'https://other.example/fhir/Patient/p1' })
  const link = { resourceType: 'Patient', id: 'p1', link: [{ other: P2 }] }
  assert.deepEqual(patientReferences(link), [{ param: 'link', patientId: 'p2', key: 'Patient/p2' }])
})

const reference = fc.oneof(
  fc.constantFrom('p1', 'p2', 'p3').map((id) => ({ reference: `Patient/${id}` })),
  fc.constantFrom(
    { reference: 'Group/g' },
    { reference: 'Practitioner/p1' },
    { reference: 'https://other.example/Patient/p1' },
    { reference: '#x' },
    { identifier: { value: 'p1' } },
    {},
  ),
)
const SHAPES = ['Observation', 'Communication', 'AdverseEvent', 'Account', 'Group', 'Person']

test('primary implies guarded implies definition, and the lists agree with the test', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...SHAPES),
      fc.array(reference, { maxLength: 3 }),
      fc.array(reference, { maxLength: 3 }),
      (resourceType, subjects, others) => {
        const resource: FhirResource = {
          resourceType,
          subject: resourceType === 'Account' ? subjects : subjects[0],
          performer: others,
          recipient: others,
          member: others.map((entity) => ({ entity })),
          link: others.map((target) => ({ target })),
        }
        const lists = [
          compartmentsOf(resource),
          guardedPatients(resource),
          primaryPatients(resource),
        ]
        for (const id of ['p1', 'p2', 'p3']) {
          const [definition, guarded, primary] = modes(resource, id)
          assert.ok(!primary || guarded)
          assert.ok(!guarded || definition)
          assert.deepEqual(
            lists.map((list) => list.includes(id)),
            [definition, guarded, primary],
          )
        }
        assert.ok(primaryPatients(resource).length <= 1)
      },
    ),
  )
})
