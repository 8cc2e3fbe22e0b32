import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Access,
  ALL,
  allOf,
  anyOf,
  compilePredicate,
  type FhirResource,
  type Predicate,
  parseSearch,
  type SearchAnswer,
} from '@scopegate/fhir-model'
import fc from 'fast-check'
import { fullScan, NO_LOOKUP } from './testing/full-scan.ts'
import { CODES, IDS, ODD_TYPES, oddResource, SYSTEMS } from './testing/odd-resources.ts'
import { oddSearch } from './testing/odd-searches.ts'
import { accessTo, BASE, FULL, testRepository, walk, where } from './testing/test-repository.ts'

const RUNS = Number(process.env.SCOPEGATE_TEST_RUNS ?? 8)

const clause = (type: string): fc.Arbitrary<Predicate> => {
  const param = { Observation: 'category', Patient: 'gender', Encounter: 'class' }[type] ?? '_tag'
  return fc.oneof(
    fc
      .constantFrom(...CODES, 'female', 'male')
      .map((code) =>
        where(type, `${param}=${encodeURIComponent(code.replace(/[\\,$|]/g, '\\$&'))}`),
      ),
    fc
      .constantFrom(...SYSTEMS)
      .map((system) => where(type, `_tag=${encodeURIComponent(system.replace(/[|]/g, '\\|'))}|`)),
    fc.constantFrom(...IDS).map((id): Predicate => ({ kind: 'id', ids: [id] })),
    fc
      .tuple(fc.constantFrom('p1', 'p2'), fc.constantFrom('definition', 'guarded', 'primary'))
      .map(([id, mode]): Predicate => ({ kind: 'compartment', compartment: 'Patient', id, mode })),
  )
}
const predicate = (type: string): fc.Arbitrary<Predicate> =>
  fc.oneof(
    fc.constant(ALL),
    clause(type),
    fc.tuple(clause(type), clause(type)).map((parts) => allOf(...parts)),
    fc.tuple(clause(type), clause(type), clause(type)).map(([a, b, c]) => anyOf(allOf(a, b), c)),
  )
const access: fc.Arbitrary<Access> = fc
  .record(
    Object.fromEntries(
      ODD_TYPES.map((type) => [type, fc.option(predicate(type), { nil: undefined, freq: 4 })]),
    ),
  )
  .map((predicates) =>
    accessTo(
      'random',
      Object.fromEntries(
        Object.entries(predicates).filter(([, value]) => value !== undefined),
      ) as Record<string, Predicate>,
    ),
  )

const OPTIONS = { defaultCount: 5, maxCount: 100, baseUrl: BASE, nowMs: Date.UTC(2025, 0, 1) }

function isVisible(resource: FhirResource, to: Access): boolean {
  const type = resource.resourceType
  const allowed = to.allowed.s.get(type)
  if (allowed === undefined) return false
  return compilePredicate(type, allowed, { base: BASE }).permits(resource, NO_LOOKUP) === true
}

const JOINS = '&_include=*&_revinclude=Observation:subject&_revinclude:iterate=Encounter:subject'
const plain = ({ matches, includes, total }: SearchAnswer) => ({ matches, includes, total })

test('under any Access a search finds what the matcher finds in what is visible, and hidden data changes nothing', async (t) => {
  const { repository, mismatches, put, storage } = await testRepository(t)
  await fc.assert(
    fc.asyncProperty(
      fc.array(oddResource, { minLength: 30, maxLength: 60 }),
      access,
      fc.array(oddSearch, { minLength: 40, maxLength: 40 }),
      async (resources, caller, searches) => {
        await storage.pool.query('truncate res, hist, ix_date, ix_str, ix_num')
        await put(...resources)
        if (resources.length % 2 === 0) await repository.refreshStatistics()
        const { rows } = await storage.pool.query<{ body: string }>(
          'select body from res order by sk',
        )
        const store = rows.map(({ body }) => JSON.parse(body) as FhirResource)

        const queries = searches.flatMap(({ type, text }) => {
          const joins =
            type === 'Patient' || type === 'Encounter' ? JOINS.replaceAll('=*', `=${type}:*`) : ''
          const parsed = [text, `${text}${joins}`].map((one) =>
            parseSearch(type, new URLSearchParams(one), OPTIONS),
          )
          return parsed.flatMap((one) => (one.ok ? [one.query] : []))
        })
        const before: SearchAnswer[] = []
        for (const query of queries) {
          const expected = fullScan(store, query, caller)
          const { ids, totals } = await walk(repository, query, caller)
          assert.deepEqual(ids.toSorted(), expected, JSON.stringify(query.used))
          for (const total of totals) assert.equal(total, expected.length)
          before.push(await repository.search(query, caller))
        }
        const hidden = store.filter((resource) => !isVisible(resource, caller))
        for (const [i, { resourceType: type, id }] of hidden.entries()) {
          if (i % 2 === 0) await repository.delete({ type, id: id! }, FULL, {})
        }
        for (const [i, query] of queries.entries()) {
          assert.deepEqual(
            plain(await repository.search(query, caller)),
            plain(before[i]!),
            `hidden data changed ${JSON.stringify(query.used)}`,
          )
        }
        for (const { resourceType: type, id } of hidden) {
          const read = await repository.read({ type, id: id! }, caller)
          assert.equal(read.kind, 'absent')
        }
        assert.deepEqual(mismatches, [])
      },
    ),
    { numRuns: RUNS, endOnFailure: true },
  )
})
