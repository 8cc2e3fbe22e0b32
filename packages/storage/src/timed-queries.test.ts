import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { testStorage } from './testing/index.ts'

const SLEEP = { text: 'SELECT pg_sleep(60)', values: [] }
const ONE = { text: 'SELECT 1 AS one', values: [] }
const timeout = { name: 'StorageError', problem: 'timeout' }

test('a statement that runs too long is cancelled in the database, and the pool is as before', async (t) => {
  const storage = await testStorage(t, { poolSize: 2 })
  await assert.rejects(storage.within(100).query(SLEEP), timeout)
  const { rows } = await storage.pool.query(
    `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(60)%'
      AND pid <> pg_backend_pid()`,
  )
  assert.deepEqual(rows, [])
  assert.deepEqual((await storage.within(5000).query(ONE)).rows, [{ one: 1 }])
})

test('the time is that of all statements together', async (t) => {
  const storage = await testStorage(t)
  const queries = storage.within(100)
  await queries.query(ONE)
  await sleep(120)
  await assert.rejects(queries.query(ONE), timeout)
})

test('costly statements leave connections to others; who waits too long is told so', async (t) => {
  const storage = await testStorage(t, { poolSize: 4 })
  const costly = Array.from({ length: 3 }, () => storage.within(1500).query(SLEEP))
  const ended = Promise.allSettled(costly)
  await sleep(50)
  await storage.pool.query('SELECT 1')
  await assert.rejects(storage.within(100).query(ONE), { problem: 'unavailable' })
  // Its turn comes when the costly ones are cancelled.
  assert.equal((await storage.within(10_000).query(ONE)).rows.length, 1)
  for (const one of await ended) assert.equal(one.status, 'rejected')
  assert.equal((await storage.within(5000).query(ONE)).rows.length, 1)
})

test('an error of the statement itself comes as it is', async (t) => {
  const storage = await testStorage(t)
  await assert.rejects(storage.within(5000).query({ text: 'SELECT 1/0', values: [] }), {
    code: '22012',
  })
})
