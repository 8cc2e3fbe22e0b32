import { constants, createReadStream, createWriteStream, existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip, constants as zlib } from 'node:zlib'
import type { Storage } from '../storage.ts'
import { StorageError } from '../storage-error.ts'
import { type ArchiveReport, type OnProgress, startTally } from './copy-session.ts'
import { endGrants } from './end-grants.ts'
import { type Frame, formatFrame, MAGIC, parseFrames, type TableSummary } from './frames.ts'
import { readDatabase } from './read-database.ts'
import { writeDatabase } from './write-database.ts'

/**
 * Writes all of the database into one file (0600, gzip), while it is in use, from one snapshot; then
 * reads the file again and checks its counts and checksums. The file appears under its name only
 * when it is whole and on disk.
 *
 * @throws {StorageError} `bad-archive` when what was written cannot be read back; `unavailable`
 * @throws {Error} of the file system, with its code; also when `path` exists
 */
export async function backup(
  storage: Storage,
  path: string,
  onProgress?: OnProgress,
): Promise<ArchiveReport> {
  if (existsSync(path)) {
    throw Object.assign(new Error(`${path} exists: a backup never overwrites a file`), {
      code: 'EEXIST',
    })
  }
  const partial = `${path}.partial`
  await rm(partial, { force: true })
  try {
    await writeFile(storage, partial, onProgress)
    const report = await verifyArchive(partial)
    await rename(partial, path)
    await syncFolderOf(path)
    return report
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

async function writeFile(storage: Storage, path: string, onProgress?: OnProgress): Promise<void> {
  const bytes = new PassThrough()
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL
  const written = pipeline(
    bytes,
    createGzip({ level: zlib.Z_BEST_SPEED + 2 }),
    createWriteStream(path, { flags: flags as unknown as string, mode: 0o600, flush: true }),
  )
  // Seen below; a failing disk must also end the reading of the database.
  written.catch((error: Error) => bytes.destroy(error))
  try {
    bytes.write(MAGIC)
    await readDatabase(storage, (frame) => writeTo(bytes, formatFrame(frame)), onProgress)
    bytes.end()
  } catch (error) {
    bytes.destroy(error as Error)
    await written.catch((cause: Error) => {
      throw cause
    })
    throw error
  }
  await written
}

function writeTo(stream: PassThrough, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(error) : resolve()))
  })
}

async function syncFolderOf(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(dirname(path), 'r')
  await folder.sync().finally(() => folder.close())
}

export interface RestoreOptions {
  readonly onProgress?: OnProgress
  /** Nothing went on at the source since the backup: users stay signed in, and apps launched. */
  readonly isMove?: boolean
}

/**
 * Fills an empty, migrated database from a backup, all or nothing, and checks counts and checksums
 * of what it then holds. Then it ends sessions and grants, unless it is a move.
 *
 * @throws {StorageError} `target-not-empty`, `bad-archive`, `newer-schema`, `foreign-schema`
 */
export function restore(
  path: string,
  storage: Storage,
  { onProgress, isMove = false }: RestoreOptions = {},
): Promise<ArchiveReport> {
  return writeDatabase(storage, readArchive(path), onProgress, isMove ? undefined : endGrants)
}

/** Reads a backup from its first to its last byte and checks its counts and checksums. */
export async function verifyArchive(path: string): Promise<ArchiveReport> {
  const tables: TableSummary[] = []
  let migrations: readonly string[] = []
  let tally: ReturnType<typeof startTally> | undefined
  for await (const frame of readArchive(path)) {
    if (frame.kind === 'header') migrations = frame.value.migrations
    else if (frame.kind === 'table') tally = startTally(frame.value.table)
    else if (frame.kind === 'data') tally?.add(frame.value)
    else if (frame.kind === 'tableEnd') {
      const found = tally?.summary()
      if (found?.sha256 !== frame.value.sha256 || found.rows !== frame.value.rows) {
        throw new StorageError(
          'bad-archive',
          `the backup is damaged in table \`${frame.value.table}\``,
        )
      }
      tables.push(frame.value)
    }
  }
  return { migrations, tables, rows: tables.reduce((sum, { rows }) => sum + rows, 0) }
}

async function* readArchive(path: string): AsyncGenerator<Frame> {
  const file = createReadStream(path)
  const plain = createGunzip()
  const piped = pipeline(file, plain)
  piped.catch(() => {})
  try {
    yield* parseFrames(plain as AsyncIterable<Buffer>)
  } catch (cause) {
    if (!(cause as NodeJS.ErrnoException).code?.startsWith('Z_')) throw cause
    throw new StorageError('bad-archive', `${path} is damaged or incomplete: it does not unpack`, {
      cause,
    })
  } finally {
    file.destroy()
    plain.destroy()
  }
}
