import type { FhirEndpointDeps } from '@scopegate/fhir-endpoint'
import {
  type Access,
  ALL,
  LETTERS,
  type Letter,
  type Predicate,
  RESOURCE_TYPES,
} from '@scopegate/fhir-model'
import { createFhirRepository, type FhirRepositoryDeps } from '@scopegate/fhir-repository'
import { type Cleanup, testStorage } from '@scopegate/storage/testing'
import { BASE, endpointUnderTest, NOW_MS } from './endpoint-under-test.ts'
import { FIXTURE } from './fixture.ts'

const everything = new Map<string, Predicate>(RESOURCE_TYPES.map((type) => [type, ALL]))

/** Permits everything: for filling the store. */
export const OPERATOR: Access = {
  fingerprint: 'operator',
  allowed: Object.fromEntries(LETTERS.map((letter) => [letter, everything])) as Record<
    Letter,
    Map<string, Predicate>
  >,
}

/** An endpoint over a repository of its own that holds the fixture. */
export async function seededEndpoint(
  t?: Cleanup,
  deps: Partial<FhirEndpointDeps> = {},
  limits: FhirRepositoryDeps['limits'] = {},
) {
  const storage = await testStorage(t)
  let ids = 0
  const repository = createFhirRepository({
    storage,
    now: () => NOW_MS,
    newId: () => `srv-${++ids}`,
    baseUrl: BASE,
    limits,
  })
  const put = async (resource: (typeof FIXTURE)[number]) => {
    const key = { type: resource.resourceType, id: resource.id! }
    const submitted = { text: JSON.stringify(resource), resource }
    const answer = await repository.update(key, submitted, OPERATOR, { updateCreate: true })
    if (answer.kind !== 'done') throw new Error(`seeding ${key.type}/${key.id}: ${answer.kind}`)
  }
  const remove = (type: string, id: string) => repository.delete({ type, id }, OPERATOR, {})
  for (const resource of FIXTURE) await put(resource)
  return {
    ...endpointUnderTest(repository, { newId: () => `srv-${++ids}`, ...deps }),
    storage,
    repository,
    put,
    remove,
  }
}
