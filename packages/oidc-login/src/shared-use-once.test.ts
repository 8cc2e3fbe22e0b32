import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSharedUseOnce, createUsedOnce } from '@scopegate/oidc-login'
import { testStorage } from '@scopegate/storage/testing'

const storage = await testStorage()
const soon = Math.floor(Date.now() / 1000) + 600

for (const [where, open] of [
  ['in one process', () => createUsedOnce(Date.now)],
  ['in a database', () => createSharedUseOnce(storage.pool)],
] as const) {
  test(`${where}, of thirty at once exactly one uses an id`, async () => {
    const useOnce = open()
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => useOnce('the state of a sign-in', soon)),
    )
    assert.equal(answers.filter(Boolean).length, 1)
    assert.equal(await useOnce('another', soon), true)
  })
}

test('another process on the same database knows what was used; no id is stored as it is', async () => {
  assert.equal(await createSharedUseOnce(storage.pool)('a state', soon), true)
  assert.equal(await createSharedUseOnce(storage.pool)('a state', soon), false)
  const { rows } = await storage.pool.query('SELECT id FROM used_assertion')
  assert.ok(rows.length > 0 && rows.every(({ id }) => !id.includes('state')))
})

test('in one process, what has expired is forgotten', async () => {
  let nowMs = 0
  const useOnce = createUsedOnce(() => nowMs)
  assert.equal(await useOnce('a', 10), true)
  nowMs = 11_000
  assert.equal(await useOnce('a', 20), true)
})
