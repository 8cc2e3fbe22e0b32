import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { SOCKET_PORT } from './data-layout.ts'

/** Linux takes 107 bytes and a final zero, macOS 103. */
const MAXIMUM_BYTES = process.platform === 'darwin' ? 103 : 107

const PREFIX = 'scopegate-socket-'

/**
 * The folder for the server's socket: the data folder itself, or, when the path would be longer
 * than a socket's may be, a private one made in the folder for temporary files.
 */
export function socketFolder(root: string): { path: string; outside: boolean } {
  const socket = join(root, `.s.PGSQL.${SOCKET_PORT}`)
  if (Buffer.byteLength(socket) <= MAXIMUM_BYTES) return { path: root, outside: false }
  return { path: mkdtempSync(join(tmpdir(), PREFIX)), outside: true }
}

/** Removes a folder that {@link socketFolder} made; anything else is left alone. */
export function removeSocketFolder(path: string | undefined): void {
  if (path && basename(path).startsWith(PREFIX)) rmSync(path, { recursive: true, force: true })
}
