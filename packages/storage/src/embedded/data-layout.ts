import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What lies in the folder of the embedded database; `root` is `<storage.dir>/postgres`. */
export interface DataLayout {
  readonly root: string
  /** The cluster itself (PGDATA). */
  readonly cluster: string
  /** Held by the watcher for as long as anything may touch the cluster. */
  readonly lock: string
  /** Who holds it; see {@link Owner}. */
  readonly owner: string
  /** What PostgreSQL itself has to say. */
  readonly log: string
  /** Windows only: the password of the loopback connection. */
  readonly password: string
  /** Links to libraries when the package's folder cannot be written. */
  readonly libraries: string
}

export function dataLayout(dir: string): DataLayout {
  const root = join(dir, 'postgres')
  return {
    root,
    cluster: join(root, 'cluster'),
    lock: join(root, 'lock'),
    owner: join(root, 'owner.json'),
    log: join(root, 'postgres.log'),
    password: join(root, 'password'),
    libraries: join(root, 'lib'),
  }
}

/** How to connect. The password, if there is one, lies in a file of the data directory. */
export interface WatchedPlace {
  readonly host: string
  readonly port: number
  readonly passwordFile?: string
}

/** The winner of the data directory, as a loser or a second tool reads it. */
export interface Owner {
  /** The process that opened the storage. */
  readonly pid: number
  readonly watcherPid: number
  /** Where its server listens, when it said so. */
  readonly url?: string
  readonly startedAt: number
  /** A folder outside of the data directory that was made for the socket. */
  readonly socketFolder?: string
  /** Where the database takes connections, once it does. */
  readonly place?: WatchedPlace
}

export const SUPERUSER = 'scopegate'
export const DATABASE = 'scopegate'
export const SOCKET_PORT = 5432

/** Reads who holds the data directory; `undefined` when nobody does or it is being written. */
export function readOwner(layout: DataLayout): Owner | undefined {
  try {
    return JSON.parse(readFileSync(layout.owner, 'utf8')) as Owner
  } catch {
    return undefined
  }
}
