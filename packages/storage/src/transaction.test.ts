import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asStorageError, StorageError, storageProblem, storageStatus } from '@scopegate/storage'
import { testStorage } from '@scopegate/storage/testing'

test('a transaction commits as a whole or not at all', async (t) => {
  const { transaction, pool } = await testStorage(t)
  await pool.query('CREATE TABLE entry (n int)')
  await transaction((client) => client.query('INSERT INTO entry VALUES (1)'))
  const bug = new TypeError('a bug')
  await assert.rejects(
    transaction(async (client) => {
      await client.query('INSERT INTO entry VALUES (2)')
      throw bug
    }),
    (error) => error === bug,
  )
  assert.deepEqual((await pool.query('SELECT n FROM entry')).rows, [{ n: 1 }])
})

test('work that collides runs again until it is through', async (t) => {
  const { transaction, pool } = await testStorage(t, { poolSize: 6 })
  await pool.query('CREATE TABLE counter AS SELECT 0 AS n')
  const allHaveRead = Promise.withResolvers<void>()
  let runs = 0
  await Promise.all(
    Array.from({ length: 6 }, () =>
      transaction(
        async (client) => {
          const { rows } = await client.query('SELECT n FROM counter')
          if (++runs === 6) allHaveRead.resolve()
          await allHaveRead.promise
          await client.query('UPDATE counter SET n = $1', [rows[0].n + 1])
        },
        { isolation: 'serializable', attempts: 50 },
      ),
    ),
  )
  assert.deepEqual((await pool.query('SELECT n FROM counter')).rows, [{ n: 6 }])
  // Of those that read the same count, one can be through at a time.
  assert.ok(runs >= 6 + 5, `all but one collided at first: ${runs} runs`)
})

test('a deadlock is resolved by running one of the two again', async (t) => {
  const { transaction, pool } = await testStorage(t)
  await pool.query('CREATE TABLE pair AS SELECT g AS id, 0 AS n FROM generate_series(1, 2) g')
  const met = Promise.withResolvers<void>()
  let arrived = 0
  const touch = (first: number, second: number) =>
    transaction(async (client) => {
      await client.query('UPDATE pair SET n = n + 1 WHERE id = $1', [first])
      if (++arrived === 2) met.resolve()
      await met.promise
      await client.query('UPDATE pair SET n = n + 1 WHERE id = $1', [second])
    })
  await Promise.all([touch(1, 2), touch(2, 1)])
  assert.deepEqual((await pool.query('SELECT sum(n)::int AS n FROM pair')).rows, [{ n: 4 }])
})

test('collisions without end are a conflict, not a loop', async (t) => {
  const { transaction } = await testStorage(t)
  let runs = 0
  await assert.rejects(
    transaction(
      async (client) => {
        runs++
        await client.query(`DO $$ BEGIN RAISE serialization_failure; END $$`)
      },
      { attempts: 3 },
    ),
    { problem: 'conflict' },
  )
  assert.equal(runs, 3)
})

test('a connection that is lost inside a transaction is unavailable, and the pool goes on', async (t) => {
  const { transaction, pool } = await testStorage(t, { poolSize: 1 })
  await assert.rejects(
    transaction((client) => client.query('SELECT pg_terminate_backend(pg_backend_pid())')),
    { problem: 'unavailable' },
  )
  assert.deepEqual((await pool.query('SELECT 1 AS up')).rows, [{ up: 1 }])
})

test('a read-only transaction, a cancelled statement and a full pool have their names', async (t) => {
  const { transaction, pool } = await testStorage(t, { poolSize: 1 })
  await assert.rejects(
    transaction((client) => client.query('CREATE TABLE t (a int)'), { readOnly: true }),
    { problem: 'read-only' },
  )
  await assert.rejects(
    transaction(async (client) => {
      await client.query('SET LOCAL statement_timeout = 20')
      await client.query('SELECT pg_sleep(5)')
    }),
    { problem: 'timeout' },
  )
  const error = await pool.query(`DO $$ BEGIN RAISE disk_full; END $$`).catch(asStorageError)
  assert.ok(error instanceof StorageError)
  assert.equal(storageStatus(error.problem), 507)
})

test('errors of a statement stay what they are', async (t) => {
  const { pool } = await testStorage(t)
  for (const statement of ['SELECT 1 / 0', 'SELECT * FROM not_there', 'SELEC']) {
    const error = await pool.query(statement).catch((caught: unknown) => caught)
    assert.equal(storageProblem(error), undefined)
    assert.equal(asStorageError(error), error)
  }
  const missing = Object.assign(new Error('x'), { code: 'ENOENT', path: '/a', syscall: 'open' })
  assert.equal(storageProblem(missing), undefined, 'a missing file is not a missing database')
  assert.equal(storageProblem(new TypeError('undefined is not a function')), undefined)
})

test('numbers, dates and times come as documented', async (t) => {
  const { pool } = await testStorage(t)
  const { rows } = await pool.query(
    `SELECT 9007199254740991::bigint AS big, '2024-02-29'::date AS day, 1.00::numeric AS exact,
            '{"a": 1}'::jsonb AS doc, ARRAY[1, 2]::bigint[] AS list`,
  )
  assert.deepEqual(rows, [
    { big: 9007199254740991, day: '2024-02-29', exact: '1.00', doc: { a: 1 }, list: ['1', '2'] },
  ])
  await assert.rejects(pool.query('SELECT 9007199254740993::bigint'), RangeError)
})
