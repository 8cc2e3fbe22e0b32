import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@scopegate/lab'
import { databasePids, databaseProcessesGone } from '@scopegate/storage/testing'

const BIN = resolve(import.meta.dirname, '../../apps/cli/bin/scopegate.mjs')
const READY_MS = 60_000
/** A command or a server that has not ended by then is killed, and its exit code tells: 137. */
const ENDED_MS = process.env.SCOPEGATE_REAL_DATA ? 1_800_000 : 240_000

/** How a command ended and what it said. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  /** Told of the process once it runs, to do something to it. */
  readonly onStart?: (child: ChildProcess) => void
}

export interface UpOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly config?: string
  readonly data?: string
  readonly port?: number
  readonly sample?: boolean
  /** Through the launcher, as `scopegate up` and `npm start` do; default: the server itself. */
  readonly launcher?: boolean
  readonly onStart?: (child: ChildProcess) => void
}

/** `scopegate up`, running. */
export interface RunningServer {
  readonly url: string
  readonly fhir: string
  readonly dir: string
  readonly child: ChildProcess
  /** From the start of the process to its being ready. */
  readonly startSeconds: number
  /** The process that serves; not the launcher. */
  readonly serverPid: number
  stdout(): string
  stderr(): string
  /** How the process ended: an exit code, or 128 and more for a signal. */
  readonly exited: Promise<number>
  /** SIGTERM, and its exit code. */
  stop(): Promise<number>
}

/** `scopegate up` ended before it was ready. */
export class UpFailed extends Error {
  readonly ran: Ran
  constructor(ran: Ran) {
    super(`the server ended with ${ran.code} before it was ready:\n${ran.out}${ran.err}`)
    this.ran = ran
  }
}

/** Someone at a shell in a folder of their own. */
export interface Operator {
  readonly folder: string
  /** Writes a file into the folder, and returns its name. */
  file(name: string, content: string | Uint8Array): string
  path(name: string): string
  scopegate(...args: string[]): Promise<Ran>
  run(args: readonly string[], options?: RunOptions): Promise<Ran>
  /** Starts a server and waits until it is ready. @throws {UpFailed} when it ends before */
  up(options?: UpOptions): Promise<RunningServer>
}

/**
 * An operator with an empty folder. After the test file what was started is ended and the folder
 * removed; between the two comes `beforeRemoval`.
 */
export function createOperator(beforeRemoval: () => unknown = () => undefined): Operator {
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-op-'))
  const environment = {
    ...withoutOurs(process.env),
    HOME: folder,
    XDG_CONFIG_HOME: join(folder, 'config'),
  }
  const running = new Set<ChildProcess>()
  const dirs = new Set<string>()

  function start(command: readonly string[], env: RunOptions['env'], stdin: 'ignore' | 'pipe') {
    const child = spawn(process.execPath, command, {
      cwd: folder,
      env: { ...environment, ...env },
      stdio: [stdin, 'pipe', 'pipe'],
    })
    running.add(child)
    const said = { out: '', err: '' }
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      said.out += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      said.err += text
    })
    const exited = new Promise<number>((done) => {
      child.once('close', (code, signal) => {
        running.delete(child)
        done(code ?? 128 + (signal === 'SIGKILL' ? 9 : 15))
      })
    })
    return { child, said, exited }
  }

  after(async () => {
    for (const child of running) child.kill('SIGKILL')
    for (const dir of dirs) await databaseProcessesGone(dir, 30_000)
    await beforeRemoval()
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  })

  const operator: Operator = {
    folder,
    path: (name) => join(folder, name),
    file(name, content) {
      writeFileSync(join(folder, name), content)
      return name
    },
    scopegate: (...args) => operator.run(args),
    async run(args, { env, input, onStart } = {}) {
      const stdin = input === undefined ? 'ignore' : 'pipe'
      const { child, said, exited } = start(['--conditions=source', BIN, ...args], env, stdin)
      child.stdin?.end(input)
      onStart?.(child)
      const tooLong = setTimeout(() => child.kill('SIGKILL'), ENDED_MS)
      const code = await exited
      clearTimeout(tooLong)
      return { code, ...said }
    },
    async up(options = {}) {
      const port = options.port ?? (await freePort())
      const dir = join(folder, options.data ?? 'data')
      dirs.add(dir)
      const startedMs = performance.now()
      const { child, said, exited } = start(
        [
          ...(options.launcher ? [] : ['--conditions=source']),
          BIN,
          ...['up', '--port', String(port), '--data', dir],
          ...(options.config === undefined ? [] : ['--config', options.config]),
          ...(options.sample ? [] : ['--no-sample']),
        ],
        options.env,
        'ignore',
      )
      options.onStart?.(child)
      let code: number | undefined
      void exited.then((ended) => {
        code = ended
      })
      while (!said.out.includes('"msg":"ready"')) {
        if (performance.now() - startedMs > READY_MS) child.kill('SIGKILL')
        if (code !== undefined) throw new UpFailed({ code, ...said })
        await sleep(20)
      }
      const url = `http://127.0.0.1:${port}`
      return {
        url,
        fhir: `${url}/fhir/r4`,
        dir,
        child,
        exited,
        startSeconds: (performance.now() - startedMs) / 1000,
        serverPid: (options.launcher ? databasePids(dir).owner : child.pid) as number,
        stdout: () => said.out,
        stderr: () => said.err,
        stop: () => {
          child.kill('SIGTERM')
          const tooLong = setTimeout(() => child.kill('SIGKILL'), ENDED_MS)
          return exited.finally(() => clearTimeout(tooLong))
        },
      }
    },
  }
  return operator
}

/** The tests' own variables must not reach the programs they test. */
function withoutOurs(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !/^(SCOPEGATE_|NODE_TEST_|NODE_OPTIONS)/.test(name),
    ),
  )
}

/** An access token by client credentials. */
export async function fetchToken(
  url: string,
  client: { readonly id: string; readonly secret: string },
  scope: string,
): Promise<string> {
  const response = await fetch(`${url}/oauth/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`,
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope }),
  })
  const body = (await response.json()) as { access_token?: string }
  if (body.access_token === undefined) {
    throw new Error(`no token: ${response.status} ${JSON.stringify(body)}`)
  }
  return body.access_token
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: what came is asserted on, member by member
  readonly body: any
}

/** The answer to a FHIR request, its body parsed. */
export async function call(
  { fhir, token }: { readonly fhir: string; readonly token?: string },
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(path === '' ? fhir : `${fhir}/${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  }
}

/** Asks until `fits`, at most `timeoutMs`. @throws with the last answer */
export async function until<Value>(
  ask: () => Promise<Value> | Value,
  fits: (value: Value) => boolean,
  timeoutMs = 30_000,
): Promise<Value> {
  const end = performance.now() + timeoutMs
  for (;;) {
    const value = await ask()
    if (fits(value)) return value
    if (performance.now() > end) {
      throw new Error(`not within ${timeoutMs} ms; the last was ${JSON.stringify(value)}`)
    }
    await sleep(25)
  }
}
