import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { openCountingTokenServer } from '../test-support/counting-token-server.ts'
import { until } from '../test-support/until.ts'
import type { BrokerProcessOptions } from './broker-process.fixture.ts'

const PROGRAM = join(import.meta.dirname, 'broker-process.fixture.ts')

interface Line {
  readonly ready?: boolean
  readonly accessToken?: string
  readonly failed?: string
  readonly askedMs: number
  readonly gotMs: number
}

interface BrokerProcess {
  readonly child: ChildProcess
  readonly lines: Line[]
  readonly ready: Promise<void>
  readonly ended: Promise<void>
  stop(): Promise<void>
}

function start(t: TestContext, options: BrokerProcessOptions): BrokerProcess {
  const child = fork(PROGRAM, [JSON.stringify(options)], {
    execArgv: ['--conditions=source', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  t.after(() => child.kill('SIGKILL'))
  const lines: Line[] = []
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', (text) => {
      const line: Line = JSON.parse(text)
      if (line.ready) resolve()
      else lines.push(line)
    })
    void ended.then(() => reject(new Error('the process ended before it was ready')))
  })
  return {
    ...{ child, lines, ready, ended },
    async stop() {
      child.send('stop')
      await ended
    },
  }
}

async function startAll(t: TestContext, count: number, options: BrokerProcessOptions) {
  const processes = Array.from({ length: count }, () => start(t, options))
  await Promise.all(processes.map(({ ready }) => ready))
  return processes
}

async function openDatabase(t: TestContext): Promise<string> {
  const { connection } = await testStorage(t)
  return connection.connectionString!
}

const LIFE_SECONDS = 2

test('8 processes with 5 callers each make one request per expiry, though refresh tokens rotate', async (t) => {
  const server = await openCountingTokenServer({
    ...{ lifeSeconds: LIFE_SECONDS, delayMs: 150, refreshToken: 'the first one' },
  })
  t.after(() => server.close())
  const processes = await startAll(t, 8, {
    databaseUrl: await openDatabase(t),
    tokenEndpoint: server.url,
    ...{ grant: 'refresh_token', refreshToken: 'the first one' },
    ...{ callers: 5, timeoutMs: 10_000, pauseMs: 25 },
  })
  await server.came(4)
  await Promise.all(processes.map((each) => each.stop()))

  const lines = processes.flatMap((each) => each.lines)
  assert.deepEqual(
    lines.filter(({ failed }) => failed !== undefined),
    [],
  )
  assert.equal(server.inFlight.most, 1)
  assert.deepEqual(new Set(server.requests.map(({ status }) => status)), new Set([200]))
  // Each is due after half of its life, less the jitter.
  const times = server.requests.map(({ atMs }) => atMs)
  const leastMs = (times.length - 1) * LIFE_SECONDS * 400
  assert.ok(times.at(-1)! - times[0]! >= leastMs, `${times.length} requests in ${times}`)
  assert.ok(lines.length > 100, `${lines.length} calls`)
})

test('kill -9 of the process that is fetching delays the others by its lease, and fails nobody', async (t) => {
  const server = await openCountingTokenServer({ lifeSeconds: 300 })
  t.after(() => server.close())
  server.hang()
  const options: BrokerProcessOptions = {
    databaseUrl: await openDatabase(t),
    tokenEndpoint: server.url,
    ...{ grant: 'client_credentials', callers: 5, timeoutMs: 3000, pauseMs: 50 },
  }
  const victim = start(t, options)
  await server.came(1)
  victim.child.kill('SIGKILL')
  await victim.ended
  server.goOn()
  const others = await startAll(t, 2, options)
  await server.came(2)
  await until(() => others.every(({ lines }) => lines.length >= 5))
  await Promise.all(others.map((each) => each.stop()))
  const lines = others.flatMap((each) => each.lines)
  assert.deepEqual(
    lines.filter(({ failed }) => failed !== undefined),
    [],
  )
  assert.equal(server.requests.length, 2)
})
