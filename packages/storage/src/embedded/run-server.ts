import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fchownSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { StorageError } from '../storage-error.ts'
import type { Cluster } from './cluster.ts'
import { readPostmasterFile } from './postmaster-file.ts'
import { asIdentity, findOnPath, type ServerIdentity } from './server-identity.ts'
import type { ServerSettings } from './server-settings.ts'

export interface ServerPlace {
  /** Folder of the Unix socket; none on Windows. */
  readonly socketFolder: string | undefined
  /** Loopback port on Windows. */
  readonly port: number
}

/** Starts the server; resolves as soon as the process exists. See {@link waitUntilReady}. */
export function spawnServer(
  cluster: Cluster,
  place: ServerPlace,
  settings: ServerSettings,
): ChildProcess {
  const { layout, binaries } = cluster
  const flags = Object.entries({ ...settings, ...placeSettings(place) })
  const args = [
    '-D',
    layout.cluster,
    ...flags.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
  const log = openLog(layout.log)
  const { identity } = cluster
  if (identity.kind === 'user') fchownSync(log, identity.uid, identity.gid)
  try {
    const { command, args: all, options } = dieWithParent(identity, binaries.postgres, args)
    return spawn(command, all, {
      ...options,
      env: cluster.env,
      cwd: layout.root,
      stdio: ['ignore', log, log],
    })
  } finally {
    closeSync(log)
  }
}

function placeSettings(place: ServerPlace): ServerSettings {
  if (place.socketFolder === undefined) {
    return { listen_addresses: '127.0.0.1', port: String(place.port), unix_socket_directories: '' }
  }
  return {
    listen_addresses: '',
    port: String(place.port),
    unix_socket_directories: `"${place.socketFolder.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
  }
}

/**
 * Where the system can (Linux), the kernel ends the server together with the watcher, should that be
 * killed. Elsewhere the next start does.
 */
function dieWithParent(identity: ServerIdentity, program: string, args: readonly string[]) {
  const setpriv = process.platform === 'linux' ? findOnPath('setpriv') : undefined
  return setpriv
    ? asIdentity(identity, setpriv, ['--pdeathsig', 'INT', '--', program, ...args])
    : asIdentity(identity, program, args)
}

const MAXIMUM_LOG_BYTES = 5_000_000

/** Starts a new log file when the old one has grown; one old one is kept. */
function openLog(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size > MAXIMUM_LOG_BYTES) renameSync(path, `${path}.1`)
  return openSync(path, 'a', 0o600)
}

/** Resolves when the server takes connections; throws what its log says when it ended instead. */
export async function waitUntilReady(
  cluster: Cluster,
  child: ChildProcess,
  logOffset: number,
  timeoutMs: number,
): Promise<void> {
  const until = Date.now() + timeoutMs
  let failure: Error | undefined
  child.once('error', (error) => {
    failure = error
  })
  while (Date.now() < until) {
    if (failure) throw new StorageError('start-failed', failure.message, { cause: failure })
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new StorageError(
        'start-failed',
        `PostgreSQL did not start (${child.signalCode ?? `exit ${child.exitCode}`}): ` +
          readLog(cluster.layout.log, logOffset),
      )
    }
    const file = readPostmasterFile(cluster.layout.cluster)
    if (file?.pid === child.pid && file?.ready) return
    await sleep(10)
  }
  throw new StorageError(
    'start-failed',
    `PostgreSQL was not ready after ${timeoutMs / 1000} s: ${readLog(cluster.layout.log, logOffset)}`,
  )
}

/** Where the log ends now, to read later what was added. */
export function logEnd(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function readLog(path: string, from: number): string {
  const text = readFileSync(path).subarray(from).toString('utf8').trim()
  return text ? text.slice(-1500) : `nothing in ${path}`
}
