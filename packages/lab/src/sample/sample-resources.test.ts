import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleResources } from '@scopegate/lab'

const text = (seed?: number, patients?: number) =>
  [...sampleResources({ ...(seed && { seed }), ...(patients && { patients }) })]
    .map((resource) => JSON.stringify(resource))
    .join('\n')

const observationsOf = (resources: Iterable<{ resourceType: string; category?: unknown }>) => {
  const counts: Record<string, number> = {}
  for (const { resourceType, category } of resources) {
    if (resourceType !== 'Observation') continue
    const code = (category as [{ coding: [{ code: string }] }])[0].coding[0].code
    counts[code] = (counts[code] ?? 0) + 1
  }
  return counts
}

test('the default sample holds 8 patients and 231 Observations in the documented proportions', () => {
  const resources = [...sampleResources()]
  assert.equal(resources.filter(({ resourceType }) => resourceType === 'Patient').length, 8)
  assert.deepEqual(observationsOf(resources), {
    laboratory: 116,
    'vital-signs': 64,
    survey: 41,
    'social-history': 9,
    procedure: 1,
  })
})

test('a seed fixes the sample byte for byte, another seed gives another one', () => {
  assert.equal(text(7), text(7))
  assert.notEqual(text(7), text(8))
})

test('a sample of another size keeps the proportions and every id is unique', () => {
  const resources = [...sampleResources({ patients: 40 })]
  assert.equal(observationsOf(resources).laboratory, 580)
  const keys = resources.map(({ resourceType, id }) => `${resourceType}/${id}`)
  assert.equal(new Set(keys).size, keys.length)
})

test('every reference inside the sample leads to a resource of the sample', () => {
  const resources = [...sampleResources()]
  const keys = new Set(resources.map(({ resourceType, id }) => `${resourceType}/${id}`))
  const references = [...text().matchAll(/"reference":"([^"]+)"/g)].map(([, to]) => to!)
  assert.deepEqual(
    references.filter((to) => !keys.has(to)),
    [],
  )
})

test('sensitive records are labelled and some resources lie in two compartments', () => {
  const resources = [...sampleResources()]
  const labels = resources.flatMap(({ meta }) => (meta?.security as { code: string }[]) ?? [])
  for (const code of ['R', 'HIV', 'ETH', 'PSY', 'SDV']) {
    assert.ok(
      labels.some((label) => label.code === code),
      code,
    )
  }
  assert.ok(resources.some(({ id }) => id === 'allergy-recorded-by-mother'))
})

test('a size that makes no sense is refused with the value', () => {
  assert.throws(() => [...sampleResources({ patients: 1.5 })], /at least 2, got `1.5`/)
})
