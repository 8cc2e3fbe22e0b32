import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Makes a folder, and those that it lies in, for this user only. One by one: Node's own `recursive`
 * never ends where the system holds a folder and says that nothing can be there, as `/proc` does.
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return
  const parent = dirname(path)
  if (parent !== path) makeFolder(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Somebody else made it in this moment.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
