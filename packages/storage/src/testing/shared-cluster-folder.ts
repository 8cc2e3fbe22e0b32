import { createHash } from 'node:crypto'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

/** One folder per user and checkout, short enough for the path of a socket. */
export function sharedClusterFolder(): string {
  const checkout = createHash('sha256')
    .update(import.meta.filename)
    .digest('hex')
    .slice(0, 8)
  return join(tmpdir(), `scopegate-test-${userInfo().uid}-${checkout}`)
}

/** Where test processes say that they are there. */
export function usersSocket(dir: string): string {
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\scopegate-${createHash('sha256').update(dir).digest('hex').slice(0, 16)}`
    : join(dir, 'users.sock')
}
