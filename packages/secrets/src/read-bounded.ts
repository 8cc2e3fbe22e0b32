import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

export const MAX_SECRET_BYTES = 64 * 1024

/**
 * As much of a file as shows whether it is larger than a secret may be. `undefined` for what is no file: a pipe or a
 * device may never end, and would hold up the whole process.
 */
export function readBounded(file: string): Buffer | undefined {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const found = fstatSync(descriptor)
    // Reading tells that it is one.
    if (!found.isFile() && !found.isDirectory()) return undefined
    const bytes = Buffer.alloc(MAX_SECRET_BYTES + 1)
    let length = 0
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(descriptor, bytes, length, bytes.length - length, null)
    }
    return bytes.subarray(0, length)
  } finally {
    closeSync(descriptor)
  }
}
