/**
 * kill -9 under FHIR write load, through the command line and HTTP: what was acknowledged is there,
 * what was not is whole or absent, nothing is left running, and the next start is clean.
 *
 *   SCOPEGATE_CRASH_ROUNDS=10 npm test -- conformance/crash
 */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { createFhirRepository } from '@scopegate/fhir-repository'
import { attachStorage } from '@scopegate/storage'
import { databasePids, databaseProcesses, databaseProcessesGone } from '@scopegate/storage/testing'
import { assertIndexesAgree, assertVersions, readStored } from './operating/compare-store.ts'
import { createOperator, fetchToken, type RunningServer, until } from './operating/operator.ts'
import { createWriteLoad, type LoadTarget } from './operating/write-load.ts'

const ROUNDS = Number(process.env.SCOPEGATE_CRASH_ROUNDS ?? 1)
const CONNECTIONS = 8
const WRITES = 150
const READY_SECONDS = 30

const operator = createOperator()
const env = { LOADER_SECRET: 'crash-loader-secret-of-good-length-1' }
const config = operator.file(
  'scopegate.yaml',
  'clients:\n  - { id: loader, secret: env:LOADER_SECRET, scopes: system/*.cruds }\n',
)
const load = createWriteLoad()

interface Victims {
  readonly server: number
  readonly launcher: number
  readonly watcher: number
  readonly database: number
}

interface Strike {
  readonly name: string
  readonly kinds: readonly (keyof Victims)[]
  readonly rounds: number
}

const STRIKES: readonly Strike[] = [
  { name: 'the server', kinds: ['server'], rounds: ROUNDS },
  { name: 'the database', kinds: ['database'], rounds: ROUNDS },
  { name: 'the server and the database', kinds: ['server', 'database'], rounds: ROUNDS },
  // What these add is in who is left behind; a few rounds show it.
  { name: 'the launcher', kinds: ['launcher'], rounds: Math.min(3, ROUNDS - 1) },
  {
    name: 'everything',
    kinds: ['launcher', 'server', 'watcher', 'database'],
    rounds: Math.min(3, ROUNDS - 1),
  },
]

async function start(launcher = true): Promise<{ server: RunningServer; target: LoadTarget }> {
  const server = await operator.up({ config, env, launcher })
  const token = await fetchToken(
    server.url,
    { id: 'loader', secret: env.LOADER_SECRET },
    'system/*.cruds',
  )
  return { server, target: { fhir: server.fhir, token } }
}

async function writes(count: number): Promise<void> {
  const goal = load.acknowledged() + count
  await until(load.acknowledged, (now) => now >= goal, 60_000)
}

async function assertAllThere(target: LoadTarget): Promise<number> {
  const stored = await readStored(target)
  assert.deepEqual(load.compare(stored), [])
  await assertIndexesAgree(target, stored)
  await assertVersions(target, load.sample(60))
  return stored.length
}

/** Compares every resource with its index rows, beside the running server. */
async function checkIndexes({ dir, fhir }: RunningServer) {
  const storage = await attachStorage(dir)
  assert.ok(storage)
  try {
    const repository = createFhirRepository({
      storage,
      now: Date.now,
      newId: randomUUID,
      baseUrl: fhir,
    })
    const { checked, differingCount, orphans } = await repository.checkIndexes()
    assert.ok(checked > 0)
    return { differingCount, orphans }
  } finally {
    await storage.close()
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

for (const { name, kinds, rounds } of STRIKES) {
  const skip = rounds === 0 && 'only with SCOPEGATE_CRASH_ROUNDS of 2 and more'
  test(`kill -9 of ${name} loses no acknowledged write, ${rounds} times`, { skip }, async (t) => {
    for (let round = 0; round < rounds; round++) {
      // Not waiting for what the last round left: the next start must cope with it.
      const { server, target } = await start()
      assert.ok(server.startSeconds < READY_SECONDS, `ready in ${server.startSeconds} s`)
      if (round === 0) t.diagnostic(`ready in ${server.startSeconds.toFixed(1)} s`)
      await assertAllThere(target)

      const { watcher, postgres } = databasePids(server.dir)
      assert.ok(watcher && postgres && server.child.pid)
      const victims: Victims = {
        server: server.serverPid,
        launcher: server.child.pid,
        watcher,
        database: postgres,
      }
      load.start(target, CONNECTIONS)
      await writes(WRITES)
      for (const kind of kinds) process.kill(victims[kind], 'SIGKILL')
      if (kinds.join() === 'database') {
        // The server goes on, and so do its writers.
        await writes(WRITES)
        await load.stop()
        await assertAllThere(target)
        server.child.kill('SIGKILL')
        process.kill(server.serverPid, 'SIGKILL')
      }
      await server.exited
      await load.stop()
      if (round < rounds - 1) continue
      await databaseProcessesGone(server.dir)
      for (const pid of [...Object.values(victims), databasePids(server.dir).watcher]) {
        if (pid !== undefined)
          await until(
            () => isRunning(pid),
            (running) => !running,
            15_000,
          )
      }
    }
  })
}

test('afterwards a start is clean, the audit chain verifies, and the end leaves nothing', async (t) => {
  const { server, target } = await start(false)
  const resources = await assertAllThere(target)
  assert.deepEqual(await checkIndexes(server), { differingCount: 0, orphans: 0 })
  const { code, out, err } = await operator.scopegate('audit', 'verify', '--json')
  assert.equal(code, 0, out + err)
  assert.equal(JSON.parse(out).intact, true)
  // Every change that was acknowledged has an entry: the mode is `required`.
  assert.ok(JSON.parse(out).entries >= load.acknowledged(), out)
  t.diagnostic(
    `${load.acknowledged()} writes acknowledged, ${load.unanswered()} not; ${resources} resources`,
  )
  assert.equal(await server.stop(), 0)
  assert.deepEqual(databaseProcesses(server.dir), [])
})
