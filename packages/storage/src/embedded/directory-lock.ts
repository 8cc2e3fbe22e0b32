import { DatabaseSync } from 'node:sqlite'

/**
 * Takes an exclusive lock on `path` that the operating system drops when the process ends, however
 * it ends; `undefined` when another process has it. Node offers no file locks of its own, SQLite's
 * are the kernel's (fcntl, LockFileEx). The file stays empty and is never deleted: a lock on a
 * deleted file would exclude nobody.
 */
export function tryLock(path: string): { release(): void } | undefined {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('PRAGMA journal_mode=MEMORY')
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    const SQLITE_BUSY = 5
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined
    throw error
  }
  return { release: () => database.close() }
}
