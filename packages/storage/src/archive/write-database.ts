import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { checkApplied, type Migration, readApplied, recordMigration } from '../migrate.ts'
import type { Storage } from '../storage.ts'
import { StorageError } from '../storage-error.ts'
import {
  type ArchiveReport,
  copyOut,
  copyTarget,
  inCopySession,
  type OnProgress,
  startTally,
} from './copy-session.ts'
import type { ArchiveEnd, ArchiveHeader, ArchiveTable, Frame, TableSummary } from './frames.ts'
import { readTables } from './read-catalog.ts'

/**
 * Writes the frames of an archive into an empty database, all or nothing: in one transaction, which
 * ends only after every table was read back and found equal in rows and bytes. An older archive is
 * written into tables of its own version, which are then migrated. `finish` belongs to it.
 *
 * @throws {StorageError} `target-not-empty`, `bad-archive`, `newer-schema`, `foreign-schema`
 */
export function writeDatabase(
  storage: Storage,
  frames: AsyncIterable<Frame>,
  onProgress: OnProgress = () => {},
  finish?: (client: pg.Client) => Promise<void>,
): Promise<ArchiveReport> {
  const { migrations } = storage
  return inCopySession(storage, 'BEGIN', async (client) => {
    await checkEmpty(client)
    const archive = new ArchiveReader(frames)
    const header = await archive.header()
    checkApplied(header.migrations, migrations)
    await rewind(client, header.migrations.length, migrations)

    const tables: { table: ArchiveTable; summary: TableSummary }[] = []
    for (;;) {
      const table = await archive.tableOrEnd()
      if (!('table' in table)) {
        await setSequences(client, table)
        checkEnd(header, table, tables.length)
        break
      }
      const summary = await copyIn(client, table, archive, (rows) =>
        onProgress({
          phase: 'copy',
          table: table.table,
          rows,
          tablesDone: tables.length,
          tableCount: header.tableCount,
        }),
      )
      tables.push({ table, summary })
    }
    await readBack(client, tables, onProgress)
    await bringUp(client, header.migrations.length, migrations)
    await finish?.(client)
    return {
      migrations: header.migrations,
      tables: tables.map((entry) => entry.summary),
      rows: tables.reduce((sum, entry) => sum + entry.summary.rows, 0),
    }
  })
}

/** Frames in the order that an archive must have them. */
class ArchiveReader {
  readonly #frames: AsyncIterator<Frame>

  constructor(frames: AsyncIterable<Frame>) {
    this.#frames = frames[Symbol.asyncIterator]()
  }

  async #next(): Promise<Frame> {
    const next = await this.#frames.next()
    if (next.done) throw new StorageError('bad-archive', 'the backup is incomplete')
    return next.value
  }

  async header(): Promise<ArchiveHeader> {
    const frame = await this.#next()
    if (frame.kind !== 'header' || frame.value.format !== 1) {
      throw new StorageError(
        'bad-archive',
        'the backup has a format that this Scopegate does not know: it was made by a newer one',
      )
    }
    return frame.value
  }

  async tableOrEnd(): Promise<ArchiveTable | ArchiveEnd> {
    const frame = await this.#next()
    if (frame.kind === 'table' || frame.kind === 'end') return frame.value
    throw new StorageError(
      'bad-archive',
      `the backup is damaged: unexpected part \`${frame.kind}\``,
    )
  }

  async dataOrEnd(): Promise<Buffer | TableSummary> {
    const frame = await this.#next()
    if (frame.kind === 'data' || frame.kind === 'tableEnd') return frame.value
    throw new StorageError(
      'bad-archive',
      `the backup is damaged: unexpected part \`${frame.kind}\``,
    )
  }
}

async function checkEmpty(client: pg.Client): Promise<void> {
  for (const { table } of await readTables(client)) {
    const name = pg.escapeIdentifier(table)
    // Nobody may write between this look and the end of the transaction.
    await client.query(`LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`)
    const { rows } = await client.query<{ found: boolean }>(
      `SELECT EXISTS (SELECT FROM ${name}) AS found`,
    )
    if (!rows[0]?.found) continue
    throw new StorageError(
      'target-not-empty',
      `the target database has rows in \`${table}\`: nothing was changed. Restore and move write ` +
        'into an empty database only: use a new storage.dir or a new database',
    )
  }
}

/** Brings the empty tables back to the version of the archive. */
async function rewind(client: pg.Client, version: number, migrations: readonly Migration[]) {
  const applied = (await readApplied(client)).length
  if (applied === version) {
    const tables = await readTables(client)
    // Fresh files: rows come to lie in the order in which they are written.
    const names = tables.map(({ table }) => pg.escapeIdentifier(table))
    // Append-only tables refuse even this; they are empty, and the transaction holds them.
    for (const name of names) await client.query(`ALTER TABLE ${name} DISABLE TRIGGER USER`)
    if (names.length > 0) await client.query(`TRUNCATE ${names.join(', ')}`)
    for (const name of names) await client.query(`ALTER TABLE ${name} ENABLE TRIGGER USER`)
    return
  }
  const { rows } = await client.query<{ drop: string }>(
    `SELECT format('DROP %s IF EXISTS %I CASCADE',
                   CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW'
                                WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,
                   relname) AS drop
       FROM pg_class c
      WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'S', 'v', 'm')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
      ORDER BY relkind IN ('S')`,
  )
  for (const { drop } of rows) await client.query(drop)
  for (let index = 0; index < version; index++) {
    await recordMigration(client, migrations[index]!, index + 1)
  }
}

async function bringUp(
  client: pg.Client,
  from: number,
  migrations: readonly Migration[],
): Promise<void> {
  for (let index = from; index < migrations.length; index++) {
    await recordMigration(client, migrations[index]!, index + 1)
  }
}

async function copyIn(
  client: pg.Client,
  table: ArchiveTable,
  archive: ArchiveReader,
  tell: (rows: number) => void,
): Promise<TableSummary> {
  const tally = startTally(table.table)
  const sink = client.query(copyFrom(`COPY ${copyTarget(table)} FROM STDIN`))
  let hasFailed = false
  sink.once('error', () => {
    hasFailed = true
  })
  const done = finished(sink).catch((error: unknown) => {
    throw asDamage(error, table.table)
  })
  // Reported below, by whoever sees it first.
  done.catch(() => {})
  for (;;) {
    const part = await archive.dataOrEnd()
    // From that moment on the stream has no connection to write to.
    if (hasFailed) await done
    if (!Buffer.isBuffer(part)) {
      sink.end()
      await done
      checkSame(part, tally.summary(), 'the backup is damaged')
      return part
    }
    tally.add(part)
    // On its own the stream would tell what PostgreSQL said, which is judged in `done`.
    if (!sink.write(part)) await Promise.race([once(sink, 'drain').catch(() => done), done])
    tell(tally.summary().rows)
  }
}

/**
 * Bytes that were changed may unpack, and reach PostgreSQL before the checksum at the end of their
 * table is compared: rows that it does not take were not made by a backup.
 */
function asDamage(error: unknown, table: string): unknown {
  const { code } = error as { code?: unknown }
  if (typeof code !== 'string' || !/^(?:22|23)[0-9A-Z]{3}$|^42(?:703|P01)$/.test(code)) return error
  const message = `the backup is damaged: PostgreSQL does not take its rows of \`${table}\``
  return new StorageError('bad-archive', message, { cause: error })
}

async function readBack(
  client: pg.Client,
  tables: readonly { table: ArchiveTable; summary: TableSummary }[],
  onProgress: OnProgress,
): Promise<void> {
  for (const [index, { table, summary }] of tables.entries()) {
    const { chunks, summary: found } = copyOut(client, table)
    onProgress({
      phase: 'verify',
      table: table.table,
      rows: summary.rows,
      tablesDone: index,
      tableCount: tables.length,
    })
    for await (const _ of chunks);
    checkSame(summary, found(), 'the target does not hold what was sent; nothing was kept')
  }
}

function checkSame(expected: TableSummary, found: TableSummary, what: string): void {
  if (expected.rows === found.rows && expected.sha256 === found.sha256) return
  throw new StorageError(
    'bad-archive',
    `${what}: table \`${expected.table}\` should have ${expected.rows} rows and checksum ` +
      `${expected.sha256.slice(0, 12)}, it has ${found.rows} and ${found.sha256.slice(0, 12)}`,
  )
}

function checkEnd(header: ArchiveHeader, end: ArchiveEnd, tables: number): void {
  if (header.tableCount === tables && end.tables === tables) return
  throw new StorageError(
    'bad-archive',
    `the backup is damaged: it announces ${header.tableCount} tables and holds ${tables}`,
  )
}

async function setSequences(client: pg.Client, { sequences }: ArchiveEnd): Promise<void> {
  for (const { name, value, called } of sequences) {
    await client.query("SELECT setval(format('%I', $1::text)::regclass, $2::bigint, $3)", [
      name,
      value,
      called,
    ])
  }
}
