import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '@scopegate/lab'
import { Agent, request } from 'undici'

const CLI = fileURLToPath(new URL('../apps/cli/bin/scopegate.mjs', import.meta.url))

export interface BenchServer {
  readonly url: string
  readonly startMs: number
  readonly pid: number
  /** PEM of the CA to trust, of a server with TLS. */
  readonly ca?: string
  /** Resident memory of the server process (the database not counted). */
  residentMb(): Promise<number>
  stop(): Promise<void>
}

/** Starts `scopegate up` in `folder` as an operator would and waits until it is ready. With `tls`: https of a local CA. */
export async function startServer(
  folder: string,
  config: string,
  environment: Readonly<Record<string, string>> = {},
  { tls = false } = {},
): Promise<BenchServer> {
  const port = await freePort()
  const url = `http${tls ? 's' : ''}://127.0.0.1:${port}`
  const file = join(folder, 'scopegate.yaml')
  const data = join(folder, 'data')
  const server = tls ? `{ url: ${url}, tls: { local: true } }` : `{ url: ${url} }`
  await writeFile(file, `server: ${server}\n${config}`)
  const startedMs = performance.now()
  const child = spawn(
    process.execPath,
    [
      '--conditions=source',
      CLI,
      'up',
      '--config',
      file,
      '--data',
      data,
      '--port',
      String(port),
      '--no-sample',
    ],
    {
      env: { ...process.env, ...environment, XDG_CONFIG_HOME: join(folder, 'xdg') },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => output.length < 200 && output.push(chunk.toString()))
  }
  const ca = await ready(url, child, output, tls ? join(data, 'tls', 'ca.crt') : undefined)
  const startMs = performance.now() - startedMs
  return {
    url,
    startMs,
    pid: child.pid!,
    ...(ca === undefined ? {} : { ca }),
    residentMb: () => residentMb(child.pid!),
    stop: async () => {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}

/** The CA that it answers under, if it has one. */
async function ready(
  url: string,
  child: ChildProcess,
  output: readonly string[],
  caFile: string | undefined,
): Promise<string | undefined> {
  for (const deadlineMs = performance.now() + 60_000; performance.now() < deadlineMs; ) {
    if (child.exitCode !== null) throw new Error(`server did not start:\n${output.join('')}`)
    const ca = caFile && (await readFile(caFile, 'utf8').catch(() => undefined))
    const dispatcher = new Agent({ connect: ca === undefined ? {} : { ca } })
    const answer = await request(`${url}/readyz`, { dispatcher }).catch(() => undefined)
    await dispatcher.destroy()
    if (answer?.statusCode === 200) return ca
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`server was not ready in 60 s:\n${output.join('')}`)
}

/** The largest resident set among the process and its children that run Node. Linux only. */
async function residentMb(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const sizes = await Promise.all(
    [pid, ...children.split(' ').filter(Boolean).map(Number)].map(async (each) => {
      const name = await readFile(`/proc/${each}/comm`, 'utf8').catch(() => '')
      if (!/^node|^Main/.test(name)) return 0
      const status = await readFile(`/proc/${each}/status`, 'utf8').catch(() => '')
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
    }),
  )
  return Math.max(...sizes)
}
