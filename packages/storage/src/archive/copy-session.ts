import { createHash } from 'node:crypto'
import pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { asStorageError } from '../classify-error.ts'
import type { Storage } from '../storage.ts'
import type { ArchiveTable, TableSummary } from './frames.ts'

/** How far a backup, restore or move is. */
export interface ArchiveProgress {
  readonly phase: 'copy' | 'verify'
  readonly table: string
  /** Of this table so far. */
  readonly rows: number
  readonly tablesDone: number
  readonly tableCount: number
}

export type OnProgress = (progress: ArchiveProgress) => void

/** What was copied and found equal on both sides. */
export interface ArchiveReport {
  readonly migrations: readonly string[]
  readonly tables: readonly TableSummary[]
  readonly rows: number
}

/**
 * Everything that changes how PostgreSQL writes a value as text, pinned: the same row has the same
 * bytes on every server. Tables are read from their start, so that equal tables are equal streams.
 */
const SAME_TEXT = `
  SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';
  SET bytea_output = 'hex'; SET extra_float_digits = 1; SET client_encoding = 'UTF8';
  SET synchronize_seqscans = off; SET statement_timeout = 0; SET lock_timeout = 0;
  SET idle_in_transaction_session_timeout = 0`

/** Runs `work` on a connection of its own, outside of the pool, in one transaction. */
export async function inCopySession<T>(
  storage: Storage,
  begin: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client(storage.connection)
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query(SAME_TEXT)
    await client.query(begin)
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    throw asStorageError(error)
  } finally {
    // Ends the transaction too, and a COPY that was left half-way.
    await client.end().catch(() => {})
  }
}

/** The rows of a table as COPY writes them; afterwards `summary` says what went by. */
export function copyOut(
  client: pg.Client,
  { table, columns }: ArchiveTable,
): { readonly chunks: AsyncGenerator<Buffer>; summary(): TableSummary } {
  const tally = startTally(table)
  async function* read(): AsyncGenerator<Buffer> {
    const stream = client.query(copyTo(`COPY ${copyTarget({ table, columns })} TO STDOUT`))
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      tally.add(chunk)
      yield chunk
    }
  }
  return { chunks: read(), summary: tally.summary }
}

export function copyTarget({ table, columns }: ArchiveTable): string {
  return `${pg.escapeIdentifier(table)} (${columns.map(pg.escapeIdentifier).join(', ')})`
}

/** Counts and hashes COPY text. In that format a line feed ends a row and is never part of one. */
export function startTally(table: string): { add(chunk: Buffer): void; summary(): TableSummary } {
  const hash = createHash('sha256')
  let rows = 0
  let bytes = 0
  return {
    add: (chunk) => {
      hash.update(chunk)
      bytes += chunk.length
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) rows++
    },
    summary: () => ({ table, rows, bytes, sha256: hash.copy().digest('hex') }),
  }
}
