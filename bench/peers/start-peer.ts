import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Program } from '../gateway-program.ts'

export interface PeerProgram extends Program {
  /** Resolves when it has ended. */
  readonly ended: Promise<void>
}

export interface PeerCommand {
  readonly command: string
  readonly args: readonly string[]
  readonly port: number
  readonly environment?: Readonly<Record<string, string>>
  /** Shown when it does not start. */
  readonly logFile: string
}

const START_MS = 10_000

/** Starts a server of one process and waits until it takes connections. @throws with its log */
export async function startPeer(peer: PeerCommand): Promise<PeerProgram> {
  const { command, args, port, environment, logFile } = peer
  const child: ChildProcess = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...environment },
  })
  let said = ''
  child.stderr!.on('data', (chunk: Buffer) => {
    said += chunk
  })
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', (error) => {
      said += error.message
      resolve()
    })
  })
  let hasEnded = false
  void ended.then(() => {
    hasEnded = true
  })
  const untilMs = Date.now() + START_MS
  while (!(await takesConnections(port))) {
    if (hasEnded || Date.now() > untilMs) {
      child.kill()
      const log = await readFile(logFile, 'utf8').catch(() => '')
      throw new Error(`${command} did not start: ${said}${log}`.slice(0, 2000))
    }
    await wait(50)
  }
  return {
    origin: `http://127.0.0.1:${port}`,
    pid: child.pid!,
    stop: () => child.kill(),
    ended,
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
