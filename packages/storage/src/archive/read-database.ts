import type pg from 'pg'
import { readApplied } from '../migrate.ts'
import type { Storage } from '../storage.ts'
import { copyOut, inCopySession, type OnProgress } from './copy-session.ts'
import type { Frame } from './frames.ts'
import { readSequences, readTables } from './read-catalog.ts'

/** Frames of about this size: small ones cost more than what they hold. */
const FRAME_BYTES = 64 * 1024

/**
 * Hands every frame of the database to `write`, all from one snapshot: what is written meanwhile is
 * not seen, and nobody waits. With `holdWrites` writers wait until it is done, readers do not.
 */
export function readDatabase(
  storage: Storage,
  write: (frame: Frame) => Promise<void>,
  onProgress: OnProgress = () => {},
  { holdWrites = false }: { readonly holdWrites?: boolean } = {},
): Promise<void> {
  // A lock needs a transaction that may write, and the snapshot must not be older than the lock.
  const begin = `BEGIN ISOLATION LEVEL REPEATABLE READ${holdWrites ? '' : ' READ ONLY'}`
  return inCopySession(storage, begin, async (client) => {
    if (holdWrites) await lockTables(client)
    const tables = await readTables(client)
    const migrations = await readApplied(client)
    await write({
      kind: 'header',
      value: {
        format: 1,
        createdAt: new Date().toISOString(),
        serverVersion: storage.serverVersion,
        migrations,
        tableCount: tables.length,
      },
    })
    let rows = 0
    for (const [index, table] of tables.entries()) {
      await write({ kind: 'table', value: table })
      const { chunks, summary } = copyOut(client, table)
      const tell = () =>
        onProgress({
          phase: 'copy',
          table: table.table,
          rows: summary().rows,
          tablesDone: index,
          tableCount: tables.length,
        })
      tell()
      for await (const value of grouped(chunks)) {
        await write({ kind: 'data', value })
        tell()
      }
      await write({ kind: 'tableEnd', value: summary() })
      rows += summary().rows
    }
    const sequences = await readSequenceValues(client)
    await write({ kind: 'end', value: { tables: tables.length, rows, sequences } })
  })
}

/** Before the first query that takes the snapshot. */
async function lockTables(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = current_schema()`,
  )
  // The snapshot of this transaction is as old as that query: take a new one under the locks.
  await client.query('ROLLBACK')
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
  if (rows.length > 0) {
    await client.query(`LOCK TABLE ${rows.map((row) => row.name).join(', ')} IN SHARE MODE`)
  }
}

async function* grouped(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of chunks) {
    parts.push(chunk)
    bytes += chunk.length
    if (bytes < FRAME_BYTES) continue
    yield Buffer.concat(parts)
    parts = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(parts)
}

/** Read last: a sequence is not part of the snapshot, so it is at or beyond what the rows use. */
async function readSequenceValues(client: pg.Client) {
  const values = []
  for (const name of await readSequences(client)) {
    const { rows } = await client.query<{ value: string; called: boolean }>(
      `SELECT last_value::text AS value, is_called AS called FROM "${name.replaceAll('"', '""')}"`,
    )
    for (const row of rows) values.push({ name, value: row.value, called: row.called })
  }
  return values
}
