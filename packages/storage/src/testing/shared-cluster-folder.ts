import { createHash } from 'node:crypto'
import { accessSync, constants, statfsSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

/** One folder per user and checkout, short enough for the path of a socket. */
export function sharedClusterFolder(): string {
  const checkout = createHash('sha256')
    .update(import.meta.filename)
    .digest('hex')
    .slice(0, 8)
  return join(memory() ?? tmpdir(), `scopegate-test-${userInfo().uid}-${checkout}`)
}

const MEMORY = '/dev/shm'
const MEMORY_BYTES = 8_000_000_000

/**
 * A folder in memory, where there is plenty: a test database is some four hundred files, and
 * copying them is most of what a small test waits for.
 */
function memory(): string | undefined {
  try {
    accessSync(MEMORY, constants.W_OK)
    // Its size, not what is free: all processes of a run must come to the same answer.
    const { blocks, bsize } = statfsSync(MEMORY)
    return blocks * bsize >= MEMORY_BYTES ? MEMORY : undefined
  } catch {
    return undefined
  }
}

/** Where test processes say that they are there. */
export function usersSocket(dir: string): string {
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\scopegate-${createHash('sha256').update(dir).digest('hex').slice(0, 16)}`
    : join(dir, 'users.sock')
}
