import { setTimeout as sleep } from 'node:timers/promises'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { type Connection, createPool } from './create-pool.ts'
import { type DiskEvent, guardDisk } from './embedded/disk-guard.ts'
import { findRunning } from './embedded/find-running.ts'
import type { ServerSettings } from './embedded/server-settings.ts'
import {
  type EmbeddedEvent,
  type EmbeddedServer,
  startEmbedded,
} from './embedded/start-embedded.ts'
import { checkApplied, type Migration, migrate, readApplied } from './migrate.ts'
import { migrations } from './migrations/index.ts'
import type { Schema } from './schema/index.ts'
import type { Storage } from './storage.ts'
import { StorageError } from './storage-error.ts'
import { createTimedQueries } from './timed-queries.ts'
import { runTransaction } from './transaction.ts'

/** Where the data lies: in a PostgreSQL of one's own, or in a folder, run by us. */
export type StorageLocation = { readonly url: string } | { readonly dir: string }

export interface StorageOptions {
  /** Connections at most; default 20. */
  readonly poolSize?: number
  /** How long a query waits for a free connection before it fails as `unavailable`; default 10 s. */
  readonly acquireTimeoutMs?: number
  /** Where this server listens; told to another one that wants the same data directory. */
  readonly serverUrl?: string
  /** More settings of the embedded PostgreSQL; durability cannot be switched off. */
  readonly settings?: ServerSettings
  /** What the embedded server does, and connections lost while idle; for the log. */
  readonly onEvent?: (event: StorageEvent) => void
  /** Other migrations than this package's, in tests. */
  readonly migrations?: readonly Migration[]
}

export type StorageEvent =
  | EmbeddedEvent
  | DiskEvent
  | { readonly event: 'connection-lost'; readonly message: string }

const OLDEST_SERVER = 150_000
const POOL_SIZE = 20
const ACQUIRE_TIMEOUT_MS = 10_000

/**
 * Opens the database, starting the embedded one when a folder is given, and brings its tables to the
 * newest version.
 *
 * @throws {StorageError} `in-use`, `no-embedded-server`, `cannot-run-here`, `start-failed`,
 *   `other-major-version`, `unsupported-server`, `newer-schema`, `foreign-schema`, `unavailable`
 */
export async function openStorage(
  location: StorageLocation,
  options: StorageOptions = {},
): Promise<Storage> {
  if ('url' in location) return connectStorage(parseUrl(location.url), undefined, options)
  const server = await startEmbedded({
    dir: location.dir,
    ...(options.serverUrl === undefined ? {} : { url: options.serverUrl }),
    ...(options.settings === undefined ? {} : { settings: options.settings }),
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
  })
  let guard: { stop(): void } | undefined
  try {
    guard = await guardDisk(location.dir, server.connection, options.onEvent ?? (() => {}))
    return await connectStorage(server.connection, stopBoth(server, guard), options)
  } catch (error) {
    guard?.stop()
    await server.stop()
    throw error
  }
}

function stopBoth(server: EmbeddedServer, guard: { stop(): void }): EmbeddedServer {
  return {
    ...server,
    stop: () => {
      guard.stop()
      return server.stop()
    },
  }
}

/**
 * Joins a database as it is: the embedded one that another process runs in a folder, for a backup
 * while the server is up, or one by URL. `undefined` when none runs there. Migrates nothing, and closing ends nothing but the connections:
 * `schemaVersion` is what the database has.
 *
 * @throws {StorageError} `newer-schema`, `foreign-schema`, `unavailable`
 */
export async function attachStorage(
  where: string | Extract<StorageLocation, { readonly url: string }>,
  options: StorageOptions = {},
): Promise<Storage | undefined> {
  const connection = typeof where === 'string' ? findRunning(where) : parseUrl(where.url)
  return connection && connectStorage(connection, undefined, { poolSize: 2, ...options }, false)
}

/** Opens a database that runs already. `server`, if any, ends with the storage. */
async function connectStorage(
  connection: Connection,
  server: EmbeddedServer | undefined,
  options: StorageOptions,
  mayMigrate = true,
): Promise<Storage> {
  const list = options.migrations ?? migrations
  const { serverVersion, schemaVersion } = await prepareDatabase(connection, list, mayMigrate)
  const poolSize = options.poolSize ?? POOL_SIZE
  const pool = createPool(connection, {
    poolSize,
    acquireTimeoutMs: options.acquireTimeoutMs ?? ACQUIRE_TIMEOUT_MS,
    onError: (error) => options.onEvent?.({ event: 'connection-lost', message: error.message }),
  })
  let closing: Promise<void> | undefined
  return {
    pool,
    within: createTimedQueries(pool, connection, poolSize),
    kysely: new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) }),
    connection,
    embedded: server !== undefined,
    serverVersion,
    migrations: list,
    schemaVersion,
    transaction: (work, transactionOptions) => runTransaction(pool, work, transactionOptions),
    pids: () => server?.pids() ?? { postgres: undefined, watcher: undefined },
    close: () => {
      closing ??= endPool(pool).then(() => server?.stop())
      return closing
    },
  }
}

/** Work that still runs gets this long before its connection is cut. */
const CLOSE_TIMEOUT_MS = 5000

async function endPool(pool: pg.Pool): Promise<void> {
  const cut = new AbortController()
  const ended = pool.end().finally(() => cut.abort())
  await Promise.race([ended, sleep(CLOSE_TIMEOUT_MS, undefined, { signal: cut.signal })]).catch(
    (error: Error) => {
      if (error.name !== 'AbortError') throw error
    },
  )
}

async function prepareDatabase(
  connection: Connection,
  list: readonly Migration[],
  mayMigrate: boolean,
): Promise<{ serverVersion: number; schemaVersion: number }> {
  const client = new pg.Client(connection)
  // The failing query throws too; this one would end the process.
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (cause) {
    throw new StorageError(
      'unavailable',
      `cannot connect to the database (storage.url): ${reasonOf(cause)}`,
      { cause },
    )
  }
  try {
    const serverVersion = await checkServer(client)
    if (mayMigrate) return { serverVersion, schemaVersion: await migrate(client, list) }
    const applied = await readApplied(client)
    checkApplied(applied, list)
    return { serverVersion, schemaVersion: applied.length }
  } finally {
    await client.end().catch(() => {})
  }
}

async function checkServer(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ version: number; text: string; encoding: string }>(
    `SELECT current_setting('server_version_num')::int AS version,
            current_setting('server_version') AS text,
            current_setting('server_encoding') AS encoding`,
  )
  const { version, text, encoding } = rows[0] as (typeof rows)[number]
  if (version < OLDEST_SERVER) {
    throw new StorageError(
      'unsupported-server',
      `the database is PostgreSQL ${text}, the oldest that works is 15: upgrade it, or leave out ` +
        'storage.url to use the embedded one',
    )
  }
  if (encoding !== 'UTF8') {
    throw new StorageError(
      'unsupported-server',
      `the database has the encoding ${encoding}, UTF8 is needed: make it with ` +
        "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0",
    )
  }
  return version
}

function parseUrl(url: string): Connection {
  // `pg` reads socket folders and options out of it; here only what cannot be one is turned away.
  if (!/^postgres(ql)?:\/\/./.test(url) || !URL.canParse(url)) {
    // The URL is not repeated: it may hold a password.
    throw new StorageError(
      'unavailable',
      'storage.url is not a PostgreSQL URL: expected postgres://user@host:5432/database',
    )
  }
  return { connectionString: url }
}

/** A connection error of several addresses has no text of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ')
  return error instanceof Error ? error.message : String(error)
}
