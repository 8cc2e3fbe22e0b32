import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Access, ALL } from '@scopegate/fhir-model'
import { createFhirRepository } from './index.ts'
import {
  accessTo,
  BASE,
  FULL,
  searchFor,
  submitted,
  testRepository,
  where,
} from './testing/test-repository.ts'
import { watchedStorage } from './testing/watched-storage.ts'

const times = <T>(n: number, make: (i: number) => T): T[] =>
  Array.from({ length: n }, (_, i) => make(i))
const observation = (id: string, category: string, subject = 'Patient/p1') => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  code: { text: 'x' },
  category: [{ coding: [{ code: category }] }],
  subject: { reference: subject },
})
const provenance = (id: string, targets: readonly string[]) => ({
  resourceType: 'Provenance',
  id,
  recorded: '2024-01-01T00:00:00Z',
  agent: [{ who: { display: 'a device' } }],
  target: targets.map((reference) => ({ reference })),
})
const laboratory = where('Observation', 'category=laboratory')
const VIA = { kind: 'visible-via', rule: 'targets', param: 'target' } as const
const viaTargets = accessTo('via', { Observation: laboratory, Provenance: VIA })
const WIDTH = 60

test('Provenances of Provenances are judged once each, however many lead to them', async (t) => {
  const { storage, put } = await testRepository(t)
  let statements = 0
  const repository = createFhirRepository({
    storage: watchedStorage(storage, () => {
      statements += 1
    }),
    now: Date.now,
    newId: () => 'x',
    baseUrl: BASE,
  })
  const level = (name: string, below: string) =>
    times(WIDTH, (i) =>
      provenance(
        `${name}${i}`,
        times(WIDTH, (j) => `${below}${j}`),
      ),
    )
  await put(
    ...times(WIDTH, (i) => observation(`o${i}`, 'survey')),
    ...level('a', 'Observation/o'),
    ...level('b', 'Provenance/a'),
    ...level('c', 'Provenance/b'),
    ...level('d', 'Provenance/c'),
    ...level('e', 'Provenance/d'),
  )
  const found = async () =>
    (await repository.search(searchFor('Provenance', '_count=1000'), viaTargets)).matches
  assert.deepEqual(await found(), [])
  assert.ok(statements < 60, `${statements} statements`)

  statements = 0
  await put(observation('o59', 'laboratory'))
  // Four steps away from what is visible, and not five.
  assert.equal((await found()).length, 4 * WIDTH)
  assert.ok(statements < 60, `${statements} statements`)
})

test('a Provenance of thousands of targets is looked through in steps', async (t) => {
  const { storage, put } = await testRepository(t)
  const repository = createFhirRepository({
    storage,
    now: Date.now,
    newId: () => 'x',
    baseUrl: BASE,
  })
  const absent = (n: number) => times(n, (i) => `Observation/absent${i}`)
  await put(
    observation('o1', 'laboratory'),
    provenance('early', ['Observation/o1', ...absent(20_000)]),
    provenance('late', [...absent(4000), 'Observation/o1']),
    provenance('beyond', [...absent(20_000), 'Observation/o1']),
  )
  const read = async (id: string) =>
    (await repository.read({ type: 'Provenance', id }, viaTargets)).kind
  assert.deepEqual(
    [await read('early'), await read('late'), await read('beyond')],
    ['done', 'done', 'absent'],
  )
})

test('what a transaction hides makes nothing else writable in it', async (t) => {
  const { repository, put } = await testRepository(t)
  await put(observation('o1', 'laboratory'), provenance('pv', ['Observation/o1']))
  const { allowed } = viaTargets
  const writer: Access = {
    fingerprint: 'writer',
    allowed: { ...allowed, u: new Map([...allowed.u, ['Observation', ALL]]) },
  }
  const update = (body: ReturnType<typeof observation> | ReturnType<typeof provenance>) => ({
    kind: 'update' as const,
    key: { type: body.resourceType, id: body.id },
    submitted: submitted(body),
    options: { updateCreate: false },
  })
  const both = [
    update(observation('o1', 'survey')),
    update({ ...provenance('pv', ['Observation/o1']), recorded: '2024-02-02T00:00:00Z' }),
  ]
  const answer = await repository.transaction(both, writer)
  assert.ok(answer.kind === 'failed' && answer.index === 1)
  const stored = await repository.read({ type: 'Provenance', id: 'pv' }, FULL)
  assert.ok(stored.kind === 'done' && stored.version.versionId === 1)
  const kept = await repository.transaction(
    [update(observation('o1', 'laboratory')), both[1]!],
    writer,
  )
  assert.equal(kept.kind, 'done')
})

test('an include follows the version that is answered, whatever is written meanwhile', async (t) => {
  const { storage, repository, put } = await testRepository(t)
  await put(
    { resourceType: 'Patient', id: 'p1' },
    { resourceType: 'Patient', id: 'p2' },
    observation('o1', 'laboratory'),
  )
  let waiting = true
  const racing = createFhirRepository({
    storage: watchedStorage(storage, async (rows) => {
      if (!waiting || !rows.some(({ id }) => id === 'o1')) return
      waiting = false
      const body = submitted(observation('o1', 'laboratory', 'Patient/p2'))
      await repository.update({ type: 'Observation', id: 'o1' }, body, FULL, {
        updateCreate: false,
      })
    }),
    now: Date.now,
    newId: () => 'x',
    baseUrl: BASE,
  })
  const page = await racing.search(searchFor('Observation', '_include=Observation:subject'), FULL)
  assert.equal(waiting, false)
  assert.equal(page.matches[0]?.versionId, 1)
  assert.deepEqual(
    page.includes.map(({ id }) => id),
    ['p1'],
  )
})
