/**
 * The process between a Scopegate server and its embedded PostgreSQL. It holds the lock of the data
 * directory, makes the cluster, runs PostgreSQL, starts it again when it crashes, and ends it when
 * its input closes: that is when the server asks for it, and also when the server is killed.
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { StorageError } from '../storage-error.ts'
import { type Cluster, makeDataFolders, prepareCluster } from './cluster.ts'
import {
  type DataLayout,
  dataLayout,
  type Owner,
  readOwner,
  SOCKET_PORT,
  type WatchedPlace,
} from './data-layout.ts'
import { tryLock } from './directory-lock.ts'
import { stopServer } from './end-server.ts'
import { isAlive } from './postmaster-file.ts'
import { logEnd, spawnServer, waitUntilReady } from './run-server.ts'
import { removeSocketFolder, socketFolder } from './socket-folder.ts'
import type { WatcherEvent, WatcherTask } from './watcher-messages.ts'

/** A server that was killed is given this long to have its database ended by its watcher. */
const TAKEOVER_MS = 20_000

/** With the growing pauses between them about ten seconds. */
const RELEASE_ATTEMPTS = 8

// Signals for the whole process group or control group are the server's to act on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
// The server may be gone when we report; nobody needs to know then.
process.stdout.on('error', () => {})

const lines = createInterface({ input: process.stdin })
const { promise: told, resolve: tell } = Promise.withResolvers<string | undefined>()
const { promise: inputClosed, resolve: closed } = Promise.withResolvers<void>()
let mustStop = false
lines.once('line', tell)
process.stdin.on('error', () => {})
lines.once('close', () => {
  mustStop = true
  tell(undefined)
  closed()
})

try {
  const line = await told
  if (line !== undefined) await watch(JSON.parse(line) as WatcherTask)
} catch (error) {
  report({
    event: 'failed',
    ...(error instanceof StorageError ? { problem: error.problem } : {}),
    message: error instanceof Error ? error.message : String(error),
  })
}
// Lets the report leave before the process does.
process.stdout.end(() => process.exit())

function report(event: WatcherEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

async function watch(task: WatcherTask): Promise<void> {
  const layout = dataLayout(task.dir)
  makeDataFolders(task.dir, layout)
  const lock = await takeLock(layout, task.dir)
  if (!lock) return
  const before = readOwner(layout)
  removeSocketFolder(before?.socketFolder)
  const owner: Owner = {
    pid: task.ownerPid,
    watcherPid: process.pid,
    ...(task.url === undefined ? {} : { url: task.url }),
    startedAt: Math.floor(Date.now() / 1000),
  }
  writeOwner(layout.owner, owner)
  let outside: string | undefined
  try {
    const cluster = await prepareCluster(layout, true)
    const socket = process.platform === 'win32' ? undefined : socketFolder(layout.root)
    if (socket?.outside) outside = socket.path
    const known: Owner = { ...owner, ...(outside ? { socketFolder: outside } : {}) }
    writeOwner(layout.owner, known)
    await serve(cluster, socket?.path, task, (place) => {
      writeOwner(layout.owner, { ...known, place })
      return place
    })
  } finally {
    removeSocketFolder(outside)
    rmSync(layout.owner, { force: true })
    lock.release()
  }
}

/**
 * Takes the lock, or throws an error that names who has it. When its owner is dead, the owner's
 * watcher is about to end the database and is waited for.
 */
async function takeLock(layout: DataLayout, dir: string) {
  const until = Date.now() + TAKEOVER_MS
  for (;;) {
    const lock = tryLock(layout.lock)
    if (lock) return lock
    if (mustStop) return undefined
    const owner = readOwner(layout)
    const alive = owner !== undefined && isAlive(owner.pid) && isAlive(owner.watcherPid)
    if (alive || Date.now() > until) {
      throw new StorageError(
        'in-use',
        `the data directory ${dir} is in use by another Scopegate` +
          `${owner ? ` (process ${owner.pid}${owner.url ? `, ${owner.url}` : ''})` : ''}: ` +
          'stop that one, or set storage.dir to another folder',
      )
    }
    await sleep(20)
  }
}

function writeOwner(path: string, owner: Owner): void {
  // Whole or not at all: others read it at any time.
  writeFileSync(`${path}.new`, `${JSON.stringify(owner)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** Runs the server until the input closes. A first start that fails is final, a later one is tried again. */
async function serve(
  cluster: Cluster,
  folder: string | undefined,
  task: WatcherTask,
  announce: (place: WatchedPlace) => WatchedPlace,
): Promise<void> {
  let started = false
  for (let failures = 0; !mustStop; ) {
    const place = { socketFolder: folder, port: folder ? SOCKET_PORT : await freePort() }
    const offset = logEnd(cluster.layout.log)
    const child = spawnServer(cluster, place, task.settings)
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
      child.once('error', () => resolve())
    })
    try {
      await Promise.race([waitUntilReady(cluster, child, offset, task.startTimeoutMs), inputClosed])
      if (!mustStop) {
        started = true
        failures = 0
        report({
          event: 'ready',
          pid: child.pid as number,
          place: announce(watchedPlace(cluster, place)),
        })
        await Promise.race([exited, inputClosed])
      }
    } catch (error) {
      await end(child.pid, exited)
      if (!started && !(stillInUse(error) && failures < RELEASE_ATTEMPTS)) throw error
      failures++
      report({ event: 'down', reason: error instanceof Error ? error.message : String(error) })
      await Promise.race([sleep(Math.min(5000, 50 * 2 ** failures)), inputClosed])
      continue
    }
    if (mustStop) return end(child.pid, exited)
    report({ event: 'down', reason: `PostgreSQL ended (${child.signalCode ?? child.exitCode})` })
  }
}

/** Backends of a killed server, on systems where we cannot see them, hold its memory for a moment. */
function stillInUse(error: unknown): boolean {
  return error instanceof Error && error.message.includes('shared memory block')
}

async function end(pid: number | undefined, exited: Promise<void>): Promise<void> {
  if (pid === undefined) return
  await stopServer(pid)
  await exited
}

function watchedPlace(
  cluster: Cluster,
  place: { socketFolder: string | undefined; port: number },
): WatchedPlace {
  if (place.socketFolder !== undefined) return { host: place.socketFolder, port: place.port }
  return { host: '127.0.0.1', port: place.port, passwordFile: cluster.layout.password }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
