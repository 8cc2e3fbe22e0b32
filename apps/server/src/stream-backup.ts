import { randomUUID } from 'node:crypto'
import { createReadStream, mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { backup, type Storage } from '@scopegate/storage'

/** Makes an archive in the data directory, gives it away as it is read, and removes it. */
export async function streamBackup(
  storage: Storage,
  dataDir: string,
): Promise<{ readonly archive: ReadableStream; readonly rows: number }> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = join(dataDir, `backup-${randomUUID()}.tmp`)
  try {
    const { rows } = await backup(storage, file)
    const stream = createReadStream(file)
    stream.once('close', () => void rm(file, { force: true }))
    return { archive: Readable.toWeb(stream) as ReadableStream, rows }
  } catch (error) {
    await rm(file, { force: true })
    throw error
  }
}
