import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { storageProblem } from '@scopegate/storage'
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
