import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { essentialWrite, storageProblem } from '@scopegate/storage'
import { testStorage } from '@scopegate/storage/testing'

test('a connection that is lost while somebody holds it fails the next query, not the process', async (t) => {
  const { pool } = await testStorage(t)
  const client = await pool.connect()
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
  await pool.query('SELECT pg_terminate_backend($1, 5000)', [rows[0].pid])
  await sleep(50)
  await assert.rejects(client.query('SELECT 1'), (error) => storageProblem(error) === 'unavailable')
  client.release(true)
  assert.equal((await pool.query('SELECT 1 AS one')).rows[0].one, 1)
})

test('while new transactions are read-only, an essential write is made and others are refused', async (t) => {
  const { pool, transaction } = await testStorage(t)
  await pool.query('CREATE TABLE noted (n int PRIMARY KEY)')
  const client = await pool.connect()
  await client.query('SET default_transaction_read_only = on')
  const insert = 'INSERT INTO noted VALUES (1)'
  await assert.rejects(client.query(insert), (error) => storageProblem(error) === 'read-only')
  await essentialWrite(client, (writer) => writer.query(insert))
  // One that fails for a reason of its own leaves the connection as it was.
  await assert.rejects(
    essentialWrite(client, (writer) => writer.query(insert)),
    { code: '23505' },
  )
  assert.equal((await client.query('SELECT n FROM noted')).rowCount, 1)
  // Not into the pool, with that setting.
  client.release(true)
  await transaction(async (other) => other.query('INSERT INTO noted VALUES (2)'))
})
