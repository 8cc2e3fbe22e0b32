import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  allowedFor,
  compilePredicate,
  type FhirResource,
  validateResource,
} from '@scopegate/fhir-model'
import { compileAccess, DEFAULT_POLICY } from '@scopegate/smart-scopes'
import { FIXTURE } from './fixture.ts'
import { expand } from './matrix/macros.ts'

/** The current resources of the fixture, as the steps leave them. */
function current(): readonly FhirResource[] {
  const stored = new Map<string, FhirResource>()
  for (const step of FIXTURE)
    if (step.kind === 'put')
      stored.set(`${step.resource.resourceType}/${step.resource.id}`, step.resource)
    else stored.delete(`${step.type}/${step.id}`)
  return [...stored.values()]
}

function visible(scope: string, type: string): readonly string[] {
  const token = { issuer: 'i', subject: 's', clientId: 'c', patient: 'P1', scope: expand(scope) }
  const { access } = compileAccess(token, DEFAULT_POLICY)
  const matcher = compilePredicate(type, allowedFor(access, 's', type))
  assert.ok(matcher.sync)
  return current()
    .filter((resource) => resource.resourceType === type && matcher.test(resource))
    .map(({ id }) => id!)
    .sort()
}

test('the derived sets of the fixture are those of enforcement.md 5.14', () => {
  assert.deepEqual(visible('patient/Observation.s{LAB}', 'Observation'), ['O1', 'O10', 'O3', 'O8'])
  assert.deepEqual(visible('patient/Observation.s{VS}', 'Observation'), ['O2', 'O3'])
  assert.deepEqual(visible('patient/Observation.s{SH}', 'Observation'), ['O11', 'O4'])
  assert.deepEqual(visible('patient/Observation.s', 'Observation'), [
    'O1',
    'O10',
    'O11',
    'O12',
    'O2',
    'O3',
    'O4',
    'O6',
    'O8',
  ])
  assert.deepEqual(visible('system/Observation.s{LAB}', 'Observation'), [
    'O1',
    'O10',
    'O3',
    'O5',
    'O7',
    'O8',
  ])
  assert.deepEqual(visible('patient/AllergyIntolerance.s', 'AllergyIntolerance'), ['A1'])
  assert.deepEqual(visible('patient/Condition.s?category={CC}|problem-list-item', 'Condition'), [
    'C1',
    'C4',
  ])
  assert.deepEqual(visible('patient/Encounter.s', 'Encounter'), ['E1', 'E3'])
  assert.deepEqual(visible('patient/Group.s', 'Group'), [])
})

test('every resource of the fixture is valid R4', () => {
  for (const resource of current())
    assert.deepEqual(validateResource(resource), [], JSON.stringify(resource))
})
