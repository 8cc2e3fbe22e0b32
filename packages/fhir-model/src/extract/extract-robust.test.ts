import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  compartmentsOf,
  extractAll,
  type FhirResource,
  guardedPatients,
  patientReferences,
  RESOURCE_TYPES,
  searchParameters,
  validateResource,
} from '@scopegate/fhir-model'
import fc from 'fast-check'

const MEMBERS = [
  'code',
  'coding',
  'system',
  'value',
  'subject',
  'reference',
  'identifier',
  'name',
  'component',
  'valueQuantity',
  'effectivePeriod',
  'start',
  'entry',
  'resource',
  'meta',
  'extension',
  'url',
  'link',
  'other',
  'member',
  'entity',
  '__proto__',
]

const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, 0, -1.5, '', 'x', 'Patient/p1', '2024-01-01', 'urn:x'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...MEMBERS), tie('value'), { maxKeys: 6, noNullPrototype: true }),
  ),
})).value

test('no JSON whatever makes extraction, compartments or validation throw', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...RESOURCE_TYPES),
      fc.dictionary(fc.constantFrom(...MEMBERS), anything, { noNullPrototype: true }),
      (resourceType, members) => {
        const resource = { ...members, resourceType } as FhirResource
        for (const [, values] of extractAll(resourceType, resource)) assert.ok(values.length > 0)
        const members_ = compartmentsOf(resource)
        for (const id of guardedPatients(resource)) assert.ok(members_.includes(id))
        patientReferences(resource)
        validateResource(resource)
      },
    ),
    { numRuns: 500 },
  )
})

test('every parameter of every type finds nothing in an empty resource, without a throw', () => {
  for (const resourceType of RESOURCE_TYPES) {
    const found = extractAll(resourceType, { resourceType }).map(([{ code }]) => code)
    assert.deepEqual(found, resourceType === 'Patient' ? ['deceased'] : [])
    assert.ok(searchParameters(resourceType).length >= 6, resourceType)
  }
})
