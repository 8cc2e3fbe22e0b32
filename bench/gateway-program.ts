import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { GatewayJob } from './gateway-process.ts'

/** One of the programs that are compared, running. */
export interface Program {
  readonly origin: string
  readonly pid: number
  stop(): void
}

export async function startProgram(job: GatewayJob): Promise<Program> {
  const script = fileURLToPath(new URL('gateway-process.ts', import.meta.url))
  const child: ChildProcess = spawn(process.execPath, ['--conditions=source', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin!.end(JSON.stringify(job))
  const [chunk] = (await once(child.stdout!, 'data')) as [Buffer]
  return {
    origin: `http://127.0.0.1:${chunk.toString().trim()}`,
    pid: child.pid!,
    stop: () => child.kill(),
  }
}
