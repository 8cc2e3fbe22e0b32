import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Access, allOf, type ReadAnswer } from '@scopegate/fhir-model'
import { observation } from './testing/examples.ts'
import { accessTo, FULL, submitted, testRepository, where } from './testing/test-repository.ts'

const LAB = accessTo('lab', { Observation: where('Observation', 'category=laboratory') })
const VITAL = accessTo('vital', { Observation: where('Observation', 'category=vital-signs') })
const NO_CREATE = { updateCreate: false }
const key = (id: string) => ({ type: 'Observation', id })

test('what is stored comes back to the byte outside id and meta', async (t) => {
  const { repository } = await testRepository(t)
  const text =
    '{ "resourceType":"Observation", "status" : "final","valueQuantity":{"value":1.00,"unit":"\\u00b5g"},\n"code":{"text":"x"} }'
  const created = await repository.create({ text, resource: JSON.parse(text) }, FULL, {})
  assert.equal(created.kind, 'done')
  assert(created.kind === 'done' && created.outcome === 'created' && created.readable)
  const { version } = created
  assert.deepEqual([version.versionId, version.method], [1, 'POST'])
  const read = await repository.read({ type: 'Observation', id: version.id }, FULL)
  assert(read.kind === 'done')
  assert.deepEqual(read.version, version)
  assert.equal(
    read.version.body,
    text.replace(
      '"resourceType":"Observation"',
      `"resourceType":"Observation","id":"${version.id}","meta":{"versionId":"1","lastUpdated":"2025-01-01T00:00:00.000Z"}`,
    ),
  )
})

test('every version is kept as it was, and the deletion is one of them', async (t) => {
  const { repository, clock } = await testRepository(t)
  const id = 'o1'
  for (const status of ['registered', 'preliminary', 'final']) {
    clock.nowMs += 1000
    const answer = await repository.update(
      key(id),
      submitted(observation(id, 'p1', ['laboratory'], { status })),
      FULL,
      { updateCreate: true },
    )
    assert.equal(answer.kind, 'done')
  }
  clock.nowMs += 1000
  const deleted = await repository.delete(key(id), FULL, {})
  assert(deleted.kind === 'done' && deleted.outcome === 'deleted')
  const again = await repository.delete(key(id), FULL, {})
  assert(again.kind === 'done' && again.outcome === 'already-deleted')

  for (const [versionId, status] of [
    [1, 'registered'],
    [2, 'preliminary'],
    [3, 'final'],
  ] as const) {
    const answer = await repository.readVersion(key(id), versionId, FULL)
    assert(answer.kind === 'done')
    assert.equal(JSON.parse(answer.version.body).status, status)
    assert.equal(answer.version.versionId, versionId)
  }
  assert.equal((await repository.readVersion(key(id), 4, FULL)).kind, 'gone')
  assert.equal((await repository.readVersion(key(id), 5, FULL)).kind, 'absent')
  assert.equal((await repository.read(key(id), FULL)).kind, 'gone')

  const revived = await repository.update(
    key(id),
    submitted(observation(id, 'p1')),
    FULL,
    NO_CREATE,
  )
  assert(
    revived.kind === 'done' && revived.outcome === 'created' && revived.version.versionId === 5,
  )
  const history = await repository.history(key(id), { count: 3 }, FULL)
  assert(history.kind === 'done')
  assert.deepEqual(
    history.versions.map(({ versionId, method }) => `${versionId} ${method}`),
    ['5 PUT', '4 DELETE', '3 PUT'],
  )
  assert.equal(history.total, 5)
  const rest = await repository.history(key(id), { count: 3, after: history.next! }, FULL)
  assert(rest.kind === 'done')
  assert.deepEqual(
    rest.versions.map(({ versionId }) => versionId),
    [2, 1],
  )
  assert.equal(rest.next, undefined)
  const since = await repository.history(
    key(id),
    { count: 10, sinceMs: Date.UTC(2025, 0, 1, 0, 0, 3) },
    FULL,
  )
  assert(since.kind === 'done')
  assert.deepEqual(
    since.versions.map(({ versionId }) => versionId),
    [5, 4, 3],
  )
  const at = await repository.history(
    key(id),
    { count: 10, atMs: Date.UTC(2025, 0, 1, 0, 0, 2, 500) },
    FULL,
  )
  assert(at.kind === 'done')
  assert.deepEqual(
    at.versions.map(({ versionId }) => versionId),
    [2],
  )
})

test('a version is judged by its own content, and none is shown of an instance that is hidden now', async (t) => {
  const { repository, put } = await testRepository(t)
  // Became laboratory in its second version.
  await put(observation('in', 'p1', ['vital-signs']))
  await put(observation('in', 'p1', ['laboratory']))
  // Was laboratory in its first.
  await put(observation('out', 'p1', ['laboratory']))
  await put(observation('out', 'p1', ['vital-signs']))
  // Was laboratory when it was deleted.
  await put(observation('gone', 'p1', ['laboratory']))
  await repository.delete(key('gone'), FULL, {})

  const versionsOf = async (id: string, access: Access) => {
    const answer = await repository.history(key(id), { count: 10 }, access)
    return answer.kind === 'done' ? answer.versions.map(({ versionId }) => versionId) : answer.kind
  }
  assert.deepEqual(await versionsOf('in', LAB), [2])
  assert.deepEqual(await versionsOf('out', LAB), 'absent')
  assert.deepEqual(await versionsOf('gone', LAB), [2, 1])
  assert.deepEqual(await versionsOf('gone', VITAL), 'absent')
  const kind = async (answer: Promise<ReadAnswer>) => (await answer).kind
  assert.equal(await kind(repository.readVersion(key('in'), 1, LAB)), 'absent')
  assert.equal(await kind(repository.readVersion(key('in'), 2, LAB)), 'done')
  assert.equal(await kind(repository.readVersion(key('out'), 1, LAB)), 'absent')
  assert.equal(await kind(repository.readVersion(key('gone'), 1, LAB)), 'done')
  assert.equal(await kind(repository.readVersion(key('gone'), 2, LAB)), 'gone')
  assert.equal(await kind(repository.read(key('gone'), LAB)), 'gone')
  assert.equal(await kind(repository.read(key('gone'), VITAL)), 'absent')
})

test('an update is judged on the stored and on the submitted version', async (t) => {
  const { repository, put } = await testRepository(t)
  await put(observation('lab', 'p1'), observation('vital', 'p1', ['vital-signs']))
  const update = async (id: string, categories: readonly string[], access: Access) => {
    const body = submitted(observation(id, 'p1', categories))
    const answer = await repository.update(key(id), body, access, NO_CREATE)
    return answer.kind === 'done' ? answer.outcome : answer.kind
  }
  assert.equal(await update('lab', ['laboratory', 'vital-signs'], LAB), 'updated')
  assert.equal(await update('lab', ['vital-signs'], LAB), 'refused')
  assert.equal(await update('vital', ['laboratory'], LAB), 'absent')
  assert.equal(await update('never', ['laboratory'], LAB), 'absent')
  assert.equal(await update('never', ['laboratory'], FULL), 'no-update-create')
  // Seen by `r`, not written by `u`.
  const readAll = accessTo('mixed', {}, [])
  const mixed: Access = {
    fingerprint: 'mixed',
    allowed: { ...readAll.allowed, r: FULL.allowed.r, u: LAB.allowed.u, d: LAB.allowed.d },
  }
  assert.equal(await update('vital', ['laboratory'], mixed), 'refused')
  const removed = await repository.delete(key('vital'), mixed, {})
  assert.equal(removed.kind, 'refused')
  const read = await repository.read(key('vital'), FULL)
  assert(read.kind === 'done' && read.version.versionId === 1)
})

test('a create outside the scopes stores nothing, and a result that may not be read says so', async (t) => {
  const { repository, storage } = await testRepository(t)
  const createOnly = accessTo('c', { Observation: where('Observation', 'category=laboratory') }, [
    'c',
  ])
  const refused = await repository.create(
    submitted(observation('x', 'p1', ['vital-signs'])),
    createOnly,
    {},
  )
  assert.equal(refused.kind, 'refused')
  const { rows } = await storage.pool.query('select 1 from res')
  assert.equal(rows.length, 0)
  const created = await repository.create(submitted(observation('x', 'p1')), createOnly, {})
  assert(created.kind === 'done' && !created.readable)
  assert.notEqual(created.version.id, 'x')
})

test('under a patient context a write may name no other patient', async (t) => {
  const { repository, put } = await testRepository(t)
  const access = accessTo('p1', {
    Observation: allOf(
      { kind: 'compartment', compartment: 'Patient', id: 'p1', mode: 'guarded' },
      { kind: 'no-foreign-patient', id: 'p1' },
    ),
  })
  const performer = { performer: [{ reference: 'Patient/p2' }] }
  await put(observation('had', 'p1', ['laboratory'], performer))
  const create = async (more: object, patientId = 'p1') =>
    (await repository.create(submitted(observation('x', patientId, [], more)), access, {})).kind
  assert.equal(await create({}), 'done')
  assert.equal(await create({}, 'p2'), 'refused')
  assert.equal(await create(performer), 'refused')
  const kept = await repository.update(
    key('had'),
    submitted(observation('had', 'p1', ['survey'], performer)),
    access,
    NO_CREATE,
  )
  assert.equal(kept.kind, 'done')
})

test('a precondition is looked at last, and leaves everything as it was', async (t) => {
  const { repository, put } = await testRepository(t)
  await put(observation('o', 'p1'))
  const update = (ifMatch: number, categories: readonly string[], access: Access) =>
    repository.update(key('o'), submitted(observation('o', 'p1', categories)), access, {
      ifMatch,
      updateCreate: true,
    })
  assert.deepEqual(await update(7, ['laboratory'], LAB), {
    kind: 'conflict',
    why: 'version',
    currentVersionId: 1,
  })
  assert.equal((await update(7, ['survey'], LAB)).kind, 'refused')
  assert.equal((await update(7, ['vital-signs'], VITAL)).kind, 'absent')
  const stale = await repository.delete(key('o'), LAB, { ifMatch: 2 })
  assert.equal(stale.kind, 'conflict')
  const exists = await repository.update(key('o'), submitted(observation('o', 'p1')), FULL, {
    ifNoneMatchAny: true,
    updateCreate: true,
  })
  assert(exists.kind === 'conflict' && exists.why === 'exists')
  assert.equal((await update(1, ['laboratory'], LAB)).kind, 'done')
})

test('a deleted id comes back for an unrestricted token only', async (t) => {
  const { repository, put } = await testRepository(t)
  await put(observation('o', 'p1'))
  await repository.delete(key('o'), LAB, {})
  const body = submitted(observation('o', 'p1'))
  assert.equal(
    (await repository.update(key('o'), body, LAB, { updateCreate: true })).kind,
    'absent',
  )
  const revived = await repository.update(key('o'), body, FULL, { updateCreate: true })
  assert(revived.kind === 'done' && revived.version.versionId === 3)
})
