import {
  type Access,
  ALL,
  type FhirResource,
  LETTERS,
  type Letter,
  type Predicate,
  parseResource,
  parseSearch,
  RESOURCE_TYPES,
  type SearchQuery,
  type Submitted,
} from '@scopegate/fhir-model'
import type { Storage } from '@scopegate/storage'
import { type Cleanup, testStorage } from '@scopegate/storage/testing'
import { createFhirRepository, type FhirRepository, type Mismatch } from '../index.ts'

export const BASE = 'https://fhir.example/r4'

export interface TestRepository {
  readonly storage: Storage
  readonly repository: FhirRepository
  /** What SQL offered and the matcher turned down. */
  readonly mismatches: Mismatch[]
  /** Epoch milliseconds that the repository reads; move it at will. */
  readonly clock: { nowMs: number }
  put(...resources: readonly FhirResource[]): Promise<void>
}

export async function testRepository(t: Cleanup): Promise<TestRepository> {
  const storage = await testStorage(t)
  const mismatches: Mismatch[] = []
  const clock = { nowMs: Date.UTC(2025, 0, 1) }
  let ids = 0
  const repository = createFhirRepository({
    storage,
    now: () => clock.nowMs,
    newId: () => `new-${++ids}`,
    baseUrl: BASE,
    onMismatch: (mismatch) => mismatches.push(mismatch),
  })
  return {
    storage,
    repository,
    mismatches,
    clock,
    async put(...resources) {
      const lines = resources.map((resource) => JSON.stringify(resource))
      for (const answer of await repository.importBatch(lines, { validate: () => [] })) {
        if (answer.kind === 'refused') throw new Error(JSON.stringify(answer))
      }
    },
  }
}

/** Everything. */
export const FULL: Access = accessTo(
  'full',
  Object.fromEntries(RESOURCE_TYPES.map((t) => [t, ALL])),
)

/** The same predicates under every letter, or under those given. */
export function accessTo(
  fingerprint: string,
  predicates: Readonly<Record<string, Predicate>>,
  letters: readonly Letter[] = LETTERS,
): Access {
  const allowed = Object.fromEntries(
    LETTERS.map((letter) => [
      letter,
      new Map(letters.includes(letter) ? Object.entries(predicates) : []),
    ]),
  ) as unknown as Access['allowed']
  return { fingerprint, allowed }
}

export function submitted(resource: FhirResource): Submitted {
  const text = JSON.stringify(resource)
  const parsed = parseResource(text)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return { text, resource: parsed.resource }
}

/** A search as the endpoint would pass it on. */
export function searchFor(type: string, text = '', more: Partial<SearchQuery> = {}): SearchQuery {
  const parsed = parseSearch(type, new URLSearchParams(text), {
    defaultCount: 50,
    maxCount: 1000,
    baseUrl: BASE,
    nowMs: Date.UTC(2025, 0, 1),
  })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return { ...parsed.query, ...more }
}

/** A constraint of a scope, as a predicate. */
export function where(type: string, text: string): Predicate {
  const [filter, ...others] = searchFor(type, text).filters
  if (filter?.kind !== 'clause' || others.length > 0) throw new Error('one clause, please')
  return filter
}

/** All pages of a search. */
export async function walk(
  repository: FhirRepository,
  query: SearchQuery,
  access: Access,
): Promise<{ readonly ids: string[]; readonly totals: (number | undefined)[] }> {
  const ids: string[] = []
  const totals: (number | undefined)[] = []
  for (let after: SearchQuery['after']; ; ) {
    const page = await repository.search(after === undefined ? query : { ...query, after }, access)
    ids.push(...page.matches.map(({ id }) => id))
    totals.push(page.total)
    if (page.next === undefined) return { ids, totals }
    // As it comes back out of a cursor.
    after = JSON.parse(JSON.stringify(page.next)) as NonNullable<typeof after>
  }
}
