import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Connection } from '../create-pool.ts'
import { DATABASE, dataLayout, readOwner, SUPERUSER, type WatchedPlace } from './data-layout.ts'
import { isAlive } from './postmaster-file.ts'

/** How to reach the database that runs in a data directory; `undefined` when none does. */
export function findRunning(dir: string): Connection | undefined {
  const owner = readOwner(dataLayout(resolve(dir)))
  if (!owner?.place || !isAlive(owner.watcherPid)) return undefined
  return connectionTo(owner.place)
}

export function connectionTo(place: WatchedPlace): Connection {
  return {
    host: place.host,
    port: place.port,
    user: SUPERUSER,
    database: DATABASE,
    ...(place.passwordFile === undefined
      ? {}
      : { password: readFileSync(place.passwordFile, 'utf8') }),
  }
}
