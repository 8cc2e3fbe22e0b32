import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createFhirRepository } from './index.ts'
import { observation } from './testing/examples.ts'
import { oddResource } from './testing/odd-resources.ts'
import { FULL, searchFor, submitted, testRepository } from './testing/test-repository.ts'

const collect = async <T>(steps: AsyncIterable<T>): Promise<T[]> => Array.fromAsync(steps)

test('whatever was written, the index holds what the bodies say', async (t) => {
  const { repository, put } = await testRepository(t)
  const resources = fc.sample(oddResource, 300)
  await put(...resources)
  await repository.delete({ type: resources[0]!.resourceType, id: resources[0]!.id! }, FULL, {})
  const report = await repository.checkIndexes()
  assert.deepEqual(report.differing, [])
  assert.equal(report.orphans, 0)
  assert(report.checked > 20)
})

test('a damaged index is found, and made anew without a new version', async (t) => {
  const { repository, put, storage } = await testRepository(t)
  await put(observation('o1', 'p1', ['laboratory'], { effectiveDateTime: '2024-01-01' }))
  await put(observation('o2', 'p1'))
  await storage.pool.query("update res set keys = '{1}' where id = 'o1'")
  await storage.pool.query('delete from ix_date')
  assert.deepEqual((await repository.checkIndexes()).differing, [{ type: 'Observation', id: 'o1' }])
  const steps = await collect(repository.reindex())
  assert.equal(steps.at(-1)!.changed, 1)
  assert.equal((await repository.checkIndexes()).differingCount, 0)
  const found = await repository.search(searchFor('Observation', 'date=2024-01-01'), FULL)
  assert.equal(found.matches[0]?.versionId, 1)
})

test('references below another base URL are local after a reindex', async (t) => {
  const { repository, put, storage } = await testRepository(t)
  await put(
    observation('o1', 'p1', [], { subject: { reference: 'https://new.example/fhir/Patient/p9' } }),
  )
  const moved = createFhirRepository({
    storage,
    now: Date.now,
    newId: () => 'x',
    baseUrl: 'https://new.example/fhir',
  })
  const query = searchFor('Observation', 'subject=Patient/p9')
  assert.equal((await repository.search(query, FULL)).total, 0)
  assert.equal((await moved.checkIndexes()).differingCount, 1)
  await collect(moved.reindex())
  assert.equal((await moved.search(query, FULL)).total, 1)
})

test('an index that was changed behind our back shows nobody what the matcher does not permit', async (t) => {
  const { repository, put, storage, mismatches } = await testRepository(t)
  await put(observation('lab', 'p1'), observation('survey', 'p1', ['survey']))
  await storage.pool.query(
    "update res set keys = (select keys from res where id = 'lab') where id = 'survey'",
  )
  const answer = await repository.search(
    searchFor('Observation', 'category=laboratory&_count=1'),
    FULL,
  )
  assert.deepEqual(
    answer.matches.map(({ id }) => id),
    ['lab'],
  )
  assert.equal(answer.total, 1)
  assert.equal(mismatches.length > 0, true)
  const created = await repository.create(submitted(observation('x', 'p1')), FULL, {})
  assert.equal(created.kind, 'done')
})
