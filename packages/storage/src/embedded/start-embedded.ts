import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { extname, resolve } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Connection } from '../create-pool.ts'
import { StorageError } from '../storage-error.ts'
import type { WatchedPlace } from './data-layout.ts'
import { connectionTo } from './find-running.ts'
import { type ServerSettings, serverSettings } from './server-settings.ts'
import type { WatcherEvent, WatcherTask } from './watcher-messages.ts'

export interface EmbeddedOptions {
  readonly dir: string
  /** Where this server listens; told to whoever wants the same data directory. */
  readonly url?: string
  /** More settings of PostgreSQL. Durability is not for sale. */
  readonly settings?: ServerSettings
  readonly onEvent?: (event: EmbeddedEvent) => void
  readonly startTimeoutMs?: number
}

export interface EmbeddedEvent {
  readonly event: 'ready' | 'down' | 'failed'
  readonly message: string
}

/** A running embedded PostgreSQL and its watcher. */
export interface EmbeddedServer {
  readonly connection: Connection
  /** Process id of PostgreSQL and of its watcher, as of now; for tests of crashes. */
  pids(): { readonly postgres: number | undefined; readonly watcher: number | undefined }
  /** Resolves when PostgreSQL has written everything and both processes are gone. */
  stop(): Promise<void>
}

const START_TIMEOUT_MS = 60_000

/**
 * Starts PostgreSQL in `dir` under a watcher, and keeps it there until `stop`: a database that was
 * killed is started again, and so is a killed watcher. When this process ends in any way, so does
 * the database.
 *
 * @throws {StorageError} `in-use`, `no-embedded-server`, `cannot-run-here`, `other-major-version`,
 *   `start-failed`
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const task: WatcherTask = {
    dir: resolve(options.dir),
    ownerPid: process.pid,
    ...(options.url === undefined ? {} : { url: options.url }),
    settings: serverSettings(options.settings),
    startTimeoutMs: options.startTimeoutMs ?? START_TIMEOUT_MS,
  }
  const state: State = { stopping: false, postgresPid: undefined, watcher: undefined }
  const tell = options.onEvent ?? (() => {})
  const place = await runWatcher(task, state, tell)
  void keepWatched(task, state, tell)
  return {
    connection: connectionTo(place),
    pids: () => ({ postgres: state.postgresPid, watcher: state.watcher?.child.pid }),
    stop: async () => {
      state.stopping = true
      const watcher = state.watcher
      watcher?.child.stdin?.end()
      watcher?.child.ref()
      await watcher?.exited
    },
  }
}

interface State {
  stopping: boolean
  postgresPid: number | undefined
  watcher: { readonly child: ChildProcess; readonly exited: Promise<void> } | undefined
}

/** Starts a watcher and resolves when its database is ready for the first time. */
function runWatcher(
  task: WatcherTask,
  state: State,
  tell: (event: EmbeddedEvent) => void,
): Promise<WatchedPlace> {
  const child = spawn(process.execPath, watcherCommand(), {
    // Its own session: Ctrl-C in a terminal reaches the server, which then ends things in order.
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, SystemRoot: process.env.SystemRoot },
    windowsHide: true,
  })
  const exited = new Promise<void>((resolveExit) => {
    child.once('close', () => resolveExit())
    child.once('error', () => resolveExit())
  })
  state.watcher = { child, exited }
  child.stdin.on('error', () => {})
  child.stdin.write(`${JSON.stringify(task)}\n`)

  return new Promise((resolveReady, reject) => {
    child.once('error', reject)
    void exited.then(() =>
      reject(new StorageError('start-failed', 'the watcher of the embedded PostgreSQL ended')),
    )
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as WatcherEvent
      switch (event.event) {
        case 'ready':
          state.postgresPid = event.pid
          // From here on a forgotten storage must not keep a finished program alive.
          release(child)
          tell({ event: 'ready', message: `PostgreSQL is ready (process ${event.pid})` })
          return resolveReady(event.place)
        case 'down':
          state.postgresPid = undefined
          return tell({ event: 'down', message: event.reason })
        case 'failed':
          tell({ event: 'failed', message: event.message })
          return reject(new StorageError(event.problem ?? 'start-failed', event.message))
      }
    })
  })
}

function watcherCommand(): string[] {
  const file = new URL(`./watcher${extname(import.meta.filename)}`, import.meta.url)
  return [
    '--disable-warning=ExperimentalWarning',
    // It does next to nothing: a small heap and no pool of compilers.
    '--max-semi-space-size=1',
    '--max-old-space-size=32',
    '--v8-pool-size=0',
    fileURLToPath(file),
  ]
}

function release(child: ChildProcess): void {
  child.unref()
  ;(child.stdin as Socket | null)?.unref()
  ;(child.stdout as Socket | null)?.unref()
}

/** Starts a new watcher whenever one is gone without having been asked. */
async function keepWatched(
  task: WatcherTask,
  state: State,
  tell: (event: EmbeddedEvent) => void,
): Promise<void> {
  for (let failures = 0; ; ) {
    await state.watcher?.exited
    if (state.stopping) return
    state.postgresPid = undefined
    tell({ event: 'down', message: 'the watcher of PostgreSQL is gone; starting a new one' })
    try {
      await runWatcher(task, state, tell)
      failures = 0
    } catch {
      failures++
      await new Promise<void>((resolveWait) => {
        setTimeout(resolveWait, Math.min(10_000, 100 * 2 ** failures)).unref()
      })
    }
  }
}
