import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessTo, FULL, submitted, testRepository, where } from './testing/test-repository.ts'

const patient = (id: string, gender = 'female') => ({ resourceType: 'Patient', id, gender })

test('reads asked for at the same moment each get their own instance, under their own Access', async (t) => {
  const { repository, put } = await testRepository(t)
  const ids = Array.from({ length: 250 }, (_, index) => `p${index}`)
  await put(...ids.map((id, index) => patient(id, index % 2 === 0 ? 'female' : 'male')))
  const women = accessTo('women', { Patient: where('Patient', 'gender=female') })
  const answers = await Promise.all(
    [...ids, 'nobody'].flatMap((id) =>
      [FULL, women].map((access) => repository.read({ type: 'Patient', id }, access)),
    ),
  )
  for (const [index, answer] of answers.entries()) {
    const number = Math.floor(index / 2)
    const visible = number < 250 && (index % 2 === 0 || number % 2 === 0)
    assert.equal(answer.kind, visible ? 'done' : 'absent')
    if (answer.kind === 'done') assert.equal(answer.version.id, `p${number}`)
  }
})

test('a read sees every write that was acknowledged before it was asked for', async (t) => {
  const { repository } = await testRepository(t)
  const key = { type: 'Patient', id: 'busy' }
  const noise = () => repository.read({ type: 'Patient', id: 'other' }, FULL)
  for (let version = 1; version <= 40; version++) {
    const around = [noise(), noise()]
    const written = await repository.update(key, submitted(patient('busy')), FULL, {
      updateCreate: true,
    })
    assert.equal(written.kind, 'done')
    const [read] = await Promise.all([repository.read(key, FULL), ...around, noise()])
    assert.equal(read?.kind === 'done' && read.version.versionId, version)
  }
})

test('when the database fails, every read that shared the statement fails', async (t) => {
  const { repository, storage, put } = await testRepository(t)
  await put(patient('p1'))
  await repository.read({ type: 'Patient', id: 'p1' }, FULL)
  await storage.pool.query('alter table res rename to res_away')
  try {
    const reads = Array.from({ length: 20 }, () =>
      repository.read({ type: 'Patient', id: 'p1' }, FULL),
    )
    const outcomes = await Promise.allSettled(reads)
    assert.ok(outcomes.every(({ status }) => status === 'rejected'))
  } finally {
    await storage.pool.query('alter table res_away rename to res')
  }
  assert.equal((await repository.read({ type: 'Patient', id: 'p1' }, FULL)).kind, 'done')
})
