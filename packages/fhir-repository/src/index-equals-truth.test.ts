import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FhirResource, parseSearch } from '@scopegate/fhir-model'
import fc from 'fast-check'
import { fullScan } from './testing/full-scan.ts'
import { oddResource } from './testing/odd-resources.ts'
import { oddSearch } from './testing/odd-searches.ts'
import { BASE, FULL, testRepository, walk } from './testing/test-repository.ts'

const RUNS = Number(process.env.SCOPEGATE_TEST_RUNS ?? 8)

test('SQL finds exactly what the matcher finds in a full scan, for any resources and searches', async (t) => {
  const { repository, mismatches, put, storage } = await testRepository(t)
  await fc.assert(
    fc.asyncProperty(
      fc.array(oddResource, { minLength: 20, maxLength: 60 }),
      fc.array(oddSearch, { minLength: 60, maxLength: 60 }),
      async (resources, searches) => {
        await storage.pool.query('truncate res, hist, ix_date, ix_str, ix_num')
        // Later ones replace earlier ones, so that index rows of old versions must be gone.
        await put(...resources)
        // With statistics other plans are chosen.
        if (resources.length % 2 === 0) await repository.refreshStatistics()
        const { rows } = await storage.pool.query<{ body: string }>('select body from res')
        const store = rows.map(({ body }) => JSON.parse(body) as FhirResource)
        for (const { type, text } of searches) {
          const parsed = parseSearch(type, new URLSearchParams(text), {
            defaultCount: 7,
            maxCount: 100,
            baseUrl: BASE,
            nowMs: Date.UTC(2025, 0, 1),
          })
          if (!parsed.ok) continue
          const expected = fullScan(store, parsed.query, FULL)
          const { ids, totals } = await walk(repository, parsed.query, FULL)
          assert.deepEqual([...ids].sort(), expected, `${type}?${decodeURIComponent(text)}`)
          for (const total of totals)
            assert.equal(total, expected.length, `total of ${type}?${text}`)
        }
        assert.deepEqual(mismatches, [])
      },
    ),
    { numRuns: RUNS, endOnFailure: true },
  )
})
