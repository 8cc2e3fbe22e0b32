import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Migration, migrations, openStorage, StorageError } from '@scopegate/storage'
import { emptyTestDatabase } from '@scopegate/storage/testing'

const table = (name: string, statement: string): Migration => ({
  name,
  async up(client) {
    await client.query(statement)
  },
})

const ONE = table('0001-one', 'CREATE TABLE one (a int)')
const TWO = table('0002-two', 'CREATE TABLE two (a int)')
const BROKEN = table('0003-broken', 'CREATE TABLE three (a int); SELECT 1 / 0')

async function tables(url: string): Promise<string[]> {
  const storage = await openStorage({ url }, { migrations: [ONE, TWO] })
  const { rows } = await storage.pool.query(
    `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
  )
  await storage.close()
  return rows.map((row) => row.tablename)
}

test('migrations run once, in order, and are recorded', async (t) => {
  const url = await emptyTestDatabase(t)
  await (await openStorage({ url }, { migrations: [ONE] })).close()
  const storage = await openStorage({ url }, { migrations: [ONE, TWO] })
  t.after(() => storage.close())
  assert.equal(storage.schemaVersion, 2)
  const rows = await storage.kysely.selectFrom('scopegate_migration').selectAll().execute()
  assert.deepEqual(
    rows.map(({ version, name }) => [version, name]),
    [
      [1, '0001-one'],
      [2, '0002-two'],
    ],
  )
})

test('many servers that start at once migrate once', async (t) => {
  const url = await emptyTestDatabase(t)
  const all = await Promise.all(
    Array.from({ length: 8 }, () => openStorage({ url }, { migrations: [ONE, TWO], poolSize: 1 })),
  )
  assert.deepEqual([...new Set(all.map(({ schemaVersion }) => schemaVersion))], [2])
  await Promise.all(all.map((storage) => storage.close()))
})

test('a migration that fails leaves nothing of itself and keeps those before it', async (t) => {
  const url = await emptyTestDatabase(t)
  await assert.rejects(
    openStorage({ url }, { migrations: [ONE, TWO, BROKEN] }),
    /`0003-broken` failed/,
  )
  assert.deepEqual(await tables(url), ['one', 'scopegate_migration', 'two'])
})

test('a schema newer than the program is refused and not touched', async (t) => {
  const url = await emptyTestDatabase(t)
  await (await openStorage({ url }, { migrations: [ONE, TWO] })).close()
  await assert.rejects(openStorage({ url }, { migrations: [ONE] }), (error: StorageError) => {
    assert.equal(error.problem, 'newer-schema')
    assert.match(error.message, /version 2 \(`0002-two`\).*up to 1/)
    return true
  })
  assert.deepEqual(await tables(url), ['one', 'scopegate_migration', 'two'])
})

test('a schema with other migrations is refused and not touched', async (t) => {
  const url = await emptyTestDatabase(t)
  await (await openStorage({ url }, { migrations: [ONE, TWO] })).close()
  const other = table('0001-other', 'CREATE TABLE other (a int)')
  await assert.rejects(openStorage({ url }, { migrations: [other, TWO, BROKEN] }), {
    problem: 'foreign-schema',
  })
  assert.deepEqual(await tables(url), ['one', 'scopegate_migration', 'two'])
})

test('a database that is not UTF-8 is refused', async (t) => {
  const admin = await openStorage({ url: await emptyTestDatabase(t) }, { migrations: [] })
  t.after(() => admin.close())
  const name = `scopegate_test_${Date.now()}_latin`
  await admin.pool.query(
    `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'`,
  )
  const { connectionString } = admin.connection as { connectionString: string }
  const url = new URL(connectionString)
  url.pathname = `/${name}`
  try {
    await assert.rejects(openStorage({ url: url.href }), { problem: 'unsupported-server' })
  } finally {
    await admin.pool.query(`DROP DATABASE ${name} WITH (FORCE)`)
  }
})

test('a URL that is none, or leads nowhere, is an error that does not repeat its password', async () => {
  for (const url of [
    'mysql://u:hidden@127.0.0.1/db',
    'postgres://u:hidden@127.0.0.1:1/db',
    'postgres://u:hidden@nowhere.invalid/db',
    'postgres://u:hid%zz den@[::bad/db',
  ]) {
    await assert.rejects(openStorage({ url }), (error: unknown) => {
      assert.ok(error instanceof StorageError)
      assert.equal(error.problem, 'unavailable')
      assert.match(error.message, /storage\.url/)
      assert.doesNotMatch(error.message, /hid/)
      return true
    })
  }
})

test('the migrations of this release make their tables', async (t) => {
  const storage = await openStorage({ url: await emptyTestDatabase(t) })
  t.after(() => storage.close())
  assert.equal(storage.schemaVersion, migrations.length)
})
