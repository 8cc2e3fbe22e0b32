import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TransactionOperation } from '@scopegate/fhir-model'
import { observation } from './testing/examples.ts'
import {
  accessTo,
  FULL,
  searchFor,
  submitted,
  testRepository,
  where,
} from './testing/test-repository.ts'

const key = (id: string) => ({ type: 'Observation', id })
const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))

test('of parallel updates with one If-Match exactly one is made', async (t) => {
  const { repository, put } = await testRepository(t)
  await put(observation('o', 'p1'))
  const answers = await Promise.all(
    times(32, (i) =>
      repository.update(key('o'), submitted(observation('o', 'p1', [`c${i}`])), FULL, {
        ifMatch: 1,
        updateCreate: false,
      }),
    ),
  )
  assert.equal(answers.filter(({ kind }) => kind === 'done').length, 1)
  assert.equal(answers.filter(({ kind }) => kind === 'conflict').length, 31)
  const history = await repository.history(key('o'), { count: 50 }, FULL)
  assert(history.kind === 'done' && history.total === 2)
})

test('parallel updates without If-Match are all made, one after the other', async (t) => {
  const { repository, clock } = await testRepository(t)
  const answers = await Promise.all(
    times(32, () =>
      repository.update(key('o'), submitted(observation('o', 'p1')), FULL, { updateCreate: true }),
    ),
  )
  const versions = answers.map((answer) => (answer.kind === 'done' ? answer.version : undefined))
  assert.deepEqual(
    versions.map((version) => version?.versionId).sort((a, b) => a! - b!),
    times(32, (i) => i + 1),
  )
  // lastUpdated grows with every version although the clock stands still.
  const newest = versions.find((version) => version?.versionId === 32)
  assert.equal(Date.parse(newest!.lastUpdated), clock.nowMs + 31)
})

test('transactions that lock the same instances in other orders do not end in a deadlock', async (t) => {
  const { repository, put } = await testRepository(t)
  const ids = times(6, (i) => `o${i}`)
  await put(...ids.map((id) => observation(id, 'p1')))
  const update = (id: string): TransactionOperation => ({
    kind: 'update',
    key: key(id),
    submitted: submitted(observation(id, 'p1')),
    options: { updateCreate: false },
  })
  const answers = await Promise.all(
    times(16, (i) => repository.transaction((i % 2 ? ids : ids.toReversed()).map(update), FULL)),
  )
  for (const answer of answers) assert.equal(answer.kind, 'done')
  const one = await repository.read(key('o3'), FULL)
  assert(one.kind === 'done' && one.version.versionId === 17)
})

test('a transaction is made whole or not at all, and answers in the order it was asked', async (t) => {
  const { repository, put, storage } = await testRepository(t)
  const lab = accessTo('lab', { Observation: where('Observation', 'category=laboratory') })
  await put(observation('old', 'p1'), observation('hidden', 'p1', ['survey']))
  const create = (categories: readonly string[], id?: string): TransactionOperation => ({
    kind: 'create',
    ...(id === undefined ? {} : { id }),
    submitted: submitted(observation('x', 'p1', categories)),
    options: {},
  })
  const search: TransactionOperation = { kind: 'search', query: searchFor('Observation', '') }
  const remove: TransactionOperation = { kind: 'delete', key: key('old'), options: {} }
  const counted = async () => {
    const { rows } = await storage.pool.query('select count(*) as n from res where not deleted')
    return rows[0].n as number
  }

  const refused = await repository.transaction(
    [create(['laboratory']), remove, create(['survey'])],
    lab,
  )
  assert(refused.kind === 'failed' && refused.index === 2 && refused.answer.kind === 'refused')
  assert.equal(await counted(), 2)
  const hidden = await repository.transaction(
    [create(['laboratory']), { kind: 'delete', key: key('hidden'), options: {} }],
    lab,
  )
  assert(hidden.kind === 'failed' && hidden.index === 1 && hidden.answer.kind === 'absent')
  assert.equal(await counted(), 2)

  const done = await repository.transaction(
    [search, create(['laboratory'], 'fresh'), remove, { kind: 'read', key: key('fresh') }],
    lab,
  )
  assert(done.kind === 'done')
  assert.deepEqual(
    done.answers.map((answer) => answer.kind),
    ['found', 'done', 'done', 'done'],
  )
  const [found] = done.answers
  assert(found?.kind === 'found')
  assert.deepEqual(
    found.matches.map(({ id }) => id),
    ['fresh'],
  )
})

test('a transaction of 5,000 creates is one transaction, and quick', async (t) => {
  const { repository } = await testRepository(t)
  const operations = times(
    5000,
    (i): TransactionOperation => ({
      kind: 'create',
      submitted: submitted(observation(`o${i}`, `p${i % 50}`)),
      options: {},
    }),
  )
  const started = performance.now()
  const answer = await repository.transaction(operations, FULL)
  assert.equal(answer.kind, 'done')
  assert(performance.now() - started < 30_000)
  const { total } = await repository.search(searchFor('Observation', '_summary=count'), FULL)
  assert.equal(total, 5000)
})

test('an import may be repeated, and changes only what differs', async (t) => {
  const { repository } = await testRepository(t)
  const lines = times(50, (i) => JSON.stringify(observation(`o${i}`, 'p1')))
  const first = await repository.importBatch(lines)
  assert(first.every((line) => line.kind === 'created' && line.versionId === 1))
  const again = await Promise.all([repository.importBatch(lines), repository.importBatch(lines)])
  assert(again.flat().every((line) => line.kind === 'unchanged' && line.versionId === 1))
  const mixed = await repository.importBatch([
    lines[0]!,
    JSON.stringify(observation('o1', 'p2')),
    '{"resourceType":"Observation","id":"o2",',
    '{"resourceType":"Observation","id":"bad","status":"nonsense"}',
    JSON.stringify(observation('o1', 'p3')),
  ])
  assert.deepEqual(
    mixed.map((line) => (line.kind === 'refused' ? line.kind : `${line.kind} ${line.versionId}`)),
    ['unchanged 1', 'updated 2', 'refused', 'refused', 'updated 3'],
  )
  const parallel = times(20, (i) => JSON.stringify(observation(`new${i}`, 'p1')))
  const both = await Promise.all(times(4, () => repository.importBatch(parallel)))
  assert.equal(both.flat().filter((line) => line.kind === 'created').length, 20)
})
