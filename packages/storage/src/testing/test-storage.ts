import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import pg from 'pg'
import { migrate } from '../migrate.ts'
import { migrations } from '../migrations/index.ts'
import { openStorage } from '../open-storage.ts'
import type { Storage } from '../storage.ts'
import { joinSharedCluster } from './join-shared-cluster.ts'

/** What a test needs to offer for cleaning up; `TestContext` does. */
export interface Cleanup {
  after(fn: () => Promise<void>): void
}

export interface TestStorageOptions {
  readonly poolSize?: number
}

/**
 * A fresh, migrated database for one test or one test file: a copy of a template, a few dozen
 * milliseconds. Closed and dropped after `t`, or after the test or file that calls it.
 *
 * Uses the server of SCOPEGATE_TEST_DATABASE_URL (the URL of a user that may create databases,
 * PostgreSQL 15 or newer), else an embedded one that all test processes of a run share.
 */
export async function testStorage(
  t?: Cleanup,
  { poolSize = 8 }: TestStorageOptions = {},
): Promise<Storage> {
  const database = await createDatabase(await template())
  const storage = await openStorage({ url: database }, { poolSize })
  onCleanup(t, async () => {
    await storage.close()
    await dropDatabase(database)
  })
  return storage
}

/** URL of an empty database without any tables, dropped afterwards like {@link testStorage}'s. */
export async function emptyTestDatabase(t?: Cleanup): Promise<string> {
  const database = await createDatabase('template0')
  onCleanup(t, () => dropDatabase(database))
  return database
}

function onCleanup(t: Cleanup | undefined, fn: () => Promise<void>): void {
  if (t) t.after(fn)
  else after(fn)
}

let server: Promise<string> | undefined

function testServer(): Promise<string> {
  const url = process.env.SCOPEGATE_TEST_DATABASE_URL
  server ??= url ? Promise.resolve(url) : joinSharedCluster().then((joined) => joined.url)
  return server
}

let made: Promise<string> | undefined

/** Name of the migrated template, made once per set of migrations. */
function template(): Promise<string> {
  made ??= makeTemplate()
  return made
}

/** Any number for an advisory lock in the maintenance database. */
const TEMPLATE_LOCK = 7_267_646

async function makeTemplate(): Promise<string> {
  const name = `scopegate_template_${hashOfMigrations()}`
  await asAdmin(async (admin) => {
    await admin.query(`SELECT pg_advisory_lock(${TEMPLATE_LOCK})`)
    const { rows } = await admin.query<{ datistemplate: boolean }>(
      'SELECT datistemplate FROM pg_database WHERE datname = $1',
      [name],
    )
    if (rows[0]?.datistemplate) return
    if (rows[0]) await admin.query(`DROP DATABASE ${name} WITH (FORCE)`)
    else await dropLeftovers(admin)
    await admin.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`)
    await migrateTemplate(name)
    // INVARIANT: marked as a template only when it is whole.
    await admin.query(`ALTER DATABASE ${name} WITH IS_TEMPLATE true`)
  })
  return name
}

async function migrateTemplate(name: string): Promise<void> {
  const client = new pg.Client({ connectionString: inDatabase(await testServer(), name) })
  await client.connect()
  try {
    await migrate(client, migrations)
    // Statistics are copied with the tables.
    await client.query('ANALYZE')
  } finally {
    await client.end()
  }
}

/** Templates of other migrations and databases of killed test runs, on a server that outlives them. */
async function dropLeftovers(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query<{ datname: string; datistemplate: boolean }>(
    `SELECT datname, datistemplate FROM pg_database d
      WHERE datname ~ '^scopegate_(template|test)_'
        AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname)`,
  )
  for (const { datname, datistemplate } of rows) {
    if (datistemplate || Number(datname.split('_')[2]) < Date.now() - 3_600_000) {
      if (datistemplate) await admin.query(`ALTER DATABASE ${datname} WITH IS_TEMPLATE false`)
      await admin.query(`DROP DATABASE IF EXISTS ${datname}`).catch(() => {})
    }
  }
}

function hashOfMigrations(): string {
  const folder = join(import.meta.dirname, '..', 'migrations')
  const hash = createHash('sha256')
  for (const file of readdirSync(folder).sort()) hash.update(readFileSync(join(folder, file)))
  return hash.digest('hex').slice(0, 16)
}

async function createDatabase(from: string): Promise<string> {
  const name = `scopegate_test_${Date.now()}_${randomBytes(6).toString('hex')}`
  const encoding = from === 'template0' ? " ENCODING 'UTF8'" : ''
  // Whole files instead of page by page through the log: half the time where nothing is synced.
  const copy = `CREATE DATABASE ${name} TEMPLATE ${from}${encoding} STRATEGY FILE_COPY`
  await asAdmin((admin) => admin.query(copy))
  return inDatabase(await testServer(), name)
}

async function dropDatabase(database: string): Promise<void> {
  const name = new URL(database).pathname.slice(1)
  await asAdmin((admin) => admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
}

async function asAdmin(work: (admin: pg.Client) => Promise<unknown>): Promise<void> {
  const admin = new pg.Client({ connectionString: await testServer() })
  admin.on('error', () => {})
  await admin.connect()
  try {
    await work(admin)
  } finally {
    await admin.end()
  }
}

function inDatabase(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}
