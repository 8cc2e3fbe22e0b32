import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FULL, searchFor, submitted, testRepository, walk } from './testing/test-repository.ts'

const patient = (family: string) => submitted({ resourceType: 'Patient', name: [{ family }] })

test('creates asked for at the same moment are each stored once, and found', async (t) => {
  const { repository } = await testRepository(t)
  const answers = await Promise.all(
    Array.from({ length: 180 }, (_, index) => repository.create(patient(`F${index}`), FULL, {})),
  )
  const ids = answers.map((answer) => (answer.kind === 'done' ? answer.version.id : answer.kind))
  assert.equal(new Set(ids).size, 180)
  const { ids: found } = await walk(repository, searchFor('Patient', 'family=F'), FULL)
  assert.deepEqual([...found].sort(), [...ids].sort())
  const { differingCount, orphans } = await repository.checkIndexes()
  assert.deepEqual({ differingCount, orphans }, { differingCount: 0, orphans: 0 })
})

test('a create that cannot be stored takes no other one with it', async (t) => {
  const { repository } = await testRepository(t)
  // The ids of the test repository are new-1, new-2 …: one of them is taken.
  const key = { type: 'Patient', id: 'new-7' }
  const taken = submitted({ resourceType: 'Patient', id: 'new-7' })
  await repository.update(key, taken, FULL, { updateCreate: true })
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, () => repository.create(patient('Many'), FULL, {})),
  )
  const stored = outcomes.filter(({ status }) => status === 'fulfilled')
  assert.equal(stored.length, 19)
  const { ids } = await walk(repository, searchFor('Patient', 'family=Many'), FULL)
  assert.equal(ids.length, 19)
})

test('what was acknowledged can be read at once', async (t) => {
  const { repository } = await testRepository(t)
  await Promise.all(
    Array.from({ length: 60 }, async () => {
      const answer = await repository.create(patient('Now'), FULL, {})
      assert.ok(answer.kind === 'done')
      const key = { type: 'Patient', id: answer.version.id }
      assert.equal((await repository.read(key, FULL)).kind, 'done')
    }),
  )
})
