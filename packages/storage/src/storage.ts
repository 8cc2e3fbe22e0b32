import type { Kysely } from 'kysely'
import type pg from 'pg'
import type { Connection } from './create-pool.ts'
import type { Migration } from './migrate.ts'
import type { Schema } from './schema/index.ts'
import type { StartTimedQueries } from './timed-queries.ts'
import type { TransactionOptions } from './transaction.ts'

/** An open, migrated database. */
export interface Storage {
  /** For hot paths: plain SQL. `bigint` comes as number, `date` and `numeric` as text. */
  readonly pool: pg.Pool
  /** The same pool, for statements that together may take so many milliseconds. */
  readonly within: StartTimedQueries
  /** The same pool, typed. */
  readonly kysely: Kysely<Schema>
  /** How to connect, for a client of one's own (LISTEN, long COPY). May hold a password. */
  readonly connection: Connection
  readonly embedded: boolean
  /** Such as 180004. */
  readonly serverVersion: number
  /** All applied to this database, oldest first. */
  readonly migrations: readonly Migration[]
  /** Number of the newest migration. */
  readonly schemaVersion: number
  /**
   * Runs `work` in one transaction, again after a serialization failure or deadlock: it must have no
   * effect outside the database.
   *
   * @throws {StorageError} when the database is in trouble; else what `work` threw
   */
  transaction<T>(
    work: (client: pg.PoolClient) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>
  /** Process ids of the embedded server; for tests of crashes and for health reports. */
  pids(): { readonly postgres: number | undefined; readonly watcher: number | undefined }
  /** Ends the connections and the embedded server. Resolves when all is on disk; may be repeated. */
  close(): Promise<void>
}
