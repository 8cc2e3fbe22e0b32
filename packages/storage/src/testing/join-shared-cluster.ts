import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { extname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { SUPERUSER } from '../embedded/data-layout.ts'
import { sharedClusterFolder, usersSocket } from './shared-cluster-folder.ts'

const START_TIMEOUT_MS = 60_000
const RESPAWN_MS = 3000

interface Greeting {
  readonly host: string
  readonly port: number
  readonly socket: Socket
}

/** Joins the test run's PostgreSQL, starting it when nobody has. It stays until this process ends. */
export async function joinSharedCluster(): Promise<{ url: string; leave(): void }> {
  const dir = sharedClusterFolder()
  const until = Date.now() + START_TIMEOUT_MS
  for (let spawned = 0; Date.now() < until; ) {
    const greeting = await greet(usersSocket(dir))
    if (greeting) {
      const { host, port, socket } = greeting
      const url = `postgres://${SUPERUSER}@${encodeURIComponent(host)}:${port}/postgres`
      return { url, leave: () => socket.destroy() }
    }
    if (Date.now() - spawned > RESPAWN_MS) {
      spawned = Date.now()
      startSharedCluster(dir)
    }
    await sleep(30)
  }
  throw new Error(
    `no PostgreSQL for tests after ${START_TIMEOUT_MS / 1000} s; its folder is ${dir}`,
  )
}

function startSharedCluster(dir: string): void {
  const file = new URL(`./shared-cluster${extname(import.meta.filename)}`, import.meta.url)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  // Not our own standard error: a test runner waits until everybody has closed it.
  const log = openSync(join(dir, 'log'), 'a', 0o600)
  spawn(process.execPath, ['--disable-warning=ExperimentalWarning', fileURLToPath(file), dir], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { PATH: process.env.PATH, TMPDIR: process.env.TMPDIR },
  }).unref()
  closeSync(log)
}

/** Connects and returns what the cluster answers; `undefined` when nobody is there. */
function greet(path: string): Promise<Greeting | undefined> {
  return new Promise((resolve) => {
    const socket: Socket = connect(path)
    let text = ''
    socket.setEncoding('utf8')
    socket.on('error', () => resolve(undefined))
    socket.on('close', () => resolve(undefined))
    socket.on('data', (chunk) => {
      text += chunk
      if (!text.endsWith('\n')) return
      // The connection says that we are there; it must not keep us there.
      socket.unref()
      resolve({ ...(JSON.parse(text) as { host: string; port: number }), socket })
    })
  })
}
