import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migrations } from '@scopegate/storage'
import { emptyTestDatabase, testStorage } from '@scopegate/storage/testing'
import pg from 'pg'

test('each test storage is a database of its own with all migrations', async (t) => {
  const [one, two] = await Promise.all([testStorage(t), testStorage(t)])
  await one.pool.query('CREATE TABLE only_here (a int)')
  const { rows } = await two.pool.query(`SELECT to_regclass('only_here') AS found`)
  assert.equal(rows[0].found, null)
  assert.equal(one.schemaVersion, migrations.length)
})

test('a test storage is gone after its test', async (t) => {
  let name = ''
  await t.test('uses one', async (inner) => {
    const storage = await testStorage(inner)
    name = (await storage.pool.query('SELECT current_database() AS name')).rows[0].name
  })
  const storage = await testStorage(t)
  const { rows } = await storage.pool.query(
    'SELECT count(*) AS n FROM pg_database WHERE datname = $1',
    [name],
  )
  assert.equal(rows[0].n, 0)
})

test('an empty database has no tables', async (t) => {
  const client = new pg.Client({ connectionString: await emptyTestDatabase(t) })
  await client.connect()
  const { rows } = await client.query(`SELECT to_regclass('scopegate_migration') AS found`)
  await client.end()
  assert.equal(rows[0].found, null)
})
