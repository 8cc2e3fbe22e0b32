import { allOf, compilePredicate, type FhirResource, type Predicate } from '@scopegate/fhir-model'
import { sampleResources } from '@scopegate/lab'
import type { Row } from './row.ts'

/** Filtering a Bundle of 1,000 entries in process, beside parsing the same Bundle. */
export function bundleScenario(): Row {
  const entry = [...sampleResources({ patients: 40 })]
    .filter(({ resourceType }) => resourceType === 'Observation')
    .slice(0, 1000)
    .map((resource) => ({ resource }))
  const text = JSON.stringify({ resourceType: 'Bundle', type: 'searchset', entry })
  const predicate: Predicate = allOf(
    { kind: 'compartment', compartment: 'Patient', id: 'patient-1', mode: 'guarded' },
    {
      kind: 'clause',
      param: 'category',
      type: 'token',
      values: [{ kind: 'token', code: 'laboratory' }],
    },
  )
  const { test } = compilePredicate('Observation', predicate)
  if (!test) throw new Error('a predicate without joins is judged at once')
  const resources = entry.map(({ resource }) => resource as FhirResource)
  const filter = perSecond(() => resources.filter((resource) => test(resource)).length)
  const parse = perSecond(() => JSON.parse(text))
  return {
    name: 'filter a 1,000-entry Bundle',
    value: filter,
    unit: 'Bundles/s',
    limit: { name: 'JSON.parse of the same Bundle', value: parse },
    note: 'ratio above 1: judging costs less than parsing',
  }
}

function perSecond(work: () => unknown): number {
  const run = (ms: number) => {
    let count = 0
    const startedMs = performance.now()
    while (performance.now() - startedMs < ms) {
      work()
      count++
    }
    return count / ((performance.now() - startedMs) / 1000)
  }
  run(300)
  return run(1000)
}
