import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFhirRepository } from './index.ts'
import { LARGE_BODY_BYTES } from './large-bodies.ts'
import {
  accessTo,
  BASE,
  FULL,
  searchFor,
  submitted,
  testRepository,
  walk,
  where,
} from './testing/test-repository.ts'
import { watchedStorage } from './testing/watched-storage.ts'

const LARGE = 'x'.repeat(LARGE_BODY_BYTES)
const LARGEST = 'y'.repeat(3 * 1024 * 1024)
const times = <T>(n: number, make: (i: number) => T): T[] =>
  Array.from({ length: n }, (_, i) => make(i))
const observation = (id: string, text: string, more = {}) => ({
  resourceType: 'Observation',
  id,
  status: id.endsWith('1') ? 'final' : 'preliminary',
  code: { text: 'x' },
  subject: { reference: 'Patient/p1' },
  note: [{ text }],
  ...more,
})
const texts = ['small', LARGE, LARGE, 'small', LARGEST, LARGEST, LARGEST, LARGE, 'small']

test('small and large resources come whole, in order, by every way that finds them', async (t) => {
  const { repository, put } = await testRepository(t)
  await put(
    { resourceType: 'Patient', id: 'p1', text: LARGE },
    ...texts.map((text, i) =>
      observation(`o${i}`, text, { issued: `2024-01-0${9 - i}T00:00:00Z` }),
    ),
  )
  const ids = texts.map((_, i) => `o${i}`)
  for (const text of [
    '',
    'subject=Patient/p1',
    '_sort=_lastUpdated',
    '_count=2',
    'status=final,preliminary',
  ]) {
    const { ids: found } = await walk(repository, searchFor('Observation', text), FULL)
    assert.deepEqual(found, ids, text)
  }
  const byDate = await walk(repository, searchFor('Observation', '_sort=date'), FULL)
  assert.deepEqual(byDate.ids.toSorted(), ids)
  const finals = accessTo('finals', {
    Observation: where('Observation', 'status=final'),
    Patient: { kind: 'all' },
  })
  assert.deepEqual((await walk(repository, searchFor('Observation'), finals)).ids, ['o1'])

  const page = await repository.search(
    searchFor('Observation', '_include=Observation:subject'),
    FULL,
  )
  for (const [i, { body }] of page.matches.entries())
    assert.equal(JSON.parse(body).note[0].text, texts[i])
  assert.equal(JSON.parse(page.includes[0]!.body).text, LARGE)
  const back = await repository.search(
    searchFor('Patient', '_revinclude=Observation:subject'),
    FULL,
  )
  assert.deepEqual(
    back.includes.map(({ body }) => JSON.parse(body).note[0].text),
    texts,
  )
  const joined = await repository.search(
    searchFor('Patient', '_has:Observation:subject:status=final'),
    FULL,
  )
  assert.equal(joined.matches.length, 1)
})

test('a page of large resources reads no more of them than it answers', async (t) => {
  const { storage, put } = await testRepository(t)
  await put(...times(40, (i) => observation(`o${i}`, LARGEST)))
  let characters = 0
  const counting = watchedStorage(storage, (rows) => {
    for (const { body } of rows) if (typeof body === 'string') characters += body.length
  })
  const repository = createFhirRepository({
    storage: counting,
    now: Date.now,
    newId: () => 'x',
    baseUrl: BASE,
  })
  const page = await repository.search(searchFor('Observation', '_count=1000'), FULL)
  assert.equal(page.matches.length, 10)
  assert.ok(page.next)
  assert.equal(page.total, 40)
  assert.ok(characters < 48 * 1024 * 1024, `${characters} characters were read`)
  const { ids } = await walk(repository, searchFor('Observation', '_count=1000'), FULL)
  assert.equal(ids.length, 40)
})

test('a history of large versions ends early, goes on where it ended, and knows its total', async (t) => {
  const { storage } = await testRepository(t)
  const repository = createFhirRepository({
    storage,
    now: Date.now,
    newId: () => 'x',
    baseUrl: BASE,
    limits: { pageCharacters: 3 * LARGE_BODY_BYTES },
  })
  const key = { type: 'Observation', id: 'o1' }
  for (const n of times(7, (i) => i)) {
    const body = submitted(observation('o1', n === 3 ? 'small' : `${LARGE}${n}`))
    await repository.update(key, body, FULL, { updateCreate: true })
  }
  await repository.delete(key, FULL, {})
  for (const access of [
    FULL,
    accessTo('finals', { Observation: where('Observation', 'status=final') }),
  ]) {
    const seen: number[] = []
    for (let after: readonly (string | number | null)[] | undefined; ; ) {
      const page = await repository.history(key, { count: 100, ...(after && { after }) }, access)
      assert.ok(page.kind === 'done')
      assert.equal(page.total, 8)
      assert.ok(page.versions.length < 8)
      for (const { versionId, body, deleted } of page.versions) {
        seen.push(versionId)
        if (!deleted) assert.equal(JSON.parse(body).meta.versionId, String(versionId))
      }
      after = page.next
      if (after === undefined) break
    }
    assert.deepEqual(seen, [8, 7, 6, 5, 4, 3, 2, 1])
  }
})

test('a large resource that is written while a page is read comes in the version that was found', async (t) => {
  const { storage, repository, put } = await testRepository(t)
  await put(observation('o1', LARGE), observation('o2', LARGE))
  let waiting = true
  const racing = watchedStorage(storage, async (rows) => {
    if (!waiting || !rows.some(({ id }) => id === 'o1')) return
    waiting = false
    const body = submitted(observation('o1', 'changed', { status: 'amended' }))
    await repository.update({ type: 'Observation', id: 'o1' }, body, FULL, { updateCreate: true })
    await repository.delete({ type: 'Observation', id: 'o2' }, FULL, {})
  })
  const other = createFhirRepository({
    storage: racing,
    now: Date.now,
    newId: () => 'x',
    baseUrl: BASE,
  })
  const page = await other.search(searchFor('Observation'), FULL)
  assert.equal(waiting, false)
  assert.deepEqual(
    page.matches.map(({ id, versionId }) => `${id} ${versionId}`),
    ['o1 1', 'o2 1'],
  )
  for (const { body } of page.matches) assert.equal(JSON.parse(body).note[0].text, LARGE)
})

test('large resources are updated, deleted, imported again and indexed as others are', async (t) => {
  const { repository, put, storage } = await testRepository(t)
  const one = observation('o1', LARGE)
  await put(one)
  assert.deepEqual(
    (await repository.importBatch([JSON.stringify(one)], { validate: () => [] })).map(
      ({ kind }) => kind,
    ),
    ['unchanged'],
  )
  const key = { type: 'Observation', id: 'o1' }
  const finals = accessTo('finals', { Observation: where('Observation', 'status=final') })
  const updated = await repository.update(key, submitted(observation('o1', `${LARGE}!`)), finals, {
    updateCreate: false,
  })
  assert.equal(updated.kind, 'done')
  assert.equal((await repository.delete(key, finals, {})).kind, 'done')

  await put(observation('o2', LARGEST), observation('o3', 'small'), observation('o4', LARGE))
  assert.deepEqual(
    { ...(await repository.checkIndexes()), differing: undefined },
    { checked: 3, differing: undefined, differingCount: 0, orphans: 0 },
  )
  await storage.pool.query("update res set keys = '{}' where id in ('o2', 'o3')")
  const steps = []
  for await (const { checked, changed } of repository.reindex()) steps.push({ checked, changed })
  assert.deepEqual(steps, [{ checked: 3, changed: 2 }])
  assert.equal((await repository.checkIndexes()).differingCount, 0)
})
