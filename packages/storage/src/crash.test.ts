import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStorage } from '@scopegate/storage'
import { databasePids, databaseProcesses, databaseProcessesGone } from '@scopegate/storage/testing'

const ROUNDS = Number(process.env.SCOPEGATE_CRASH_ROUNDS ?? 2)
const PROGRAM = join(import.meta.dirname, 'crash-writer.fixture.ts')

const KERNEL_ENDS_ORPHANS =
  process.platform === 'linux' && spawnSync('setpriv', ['--version']).status === 0

/** A running writer and what it was told is durable. */
interface Writer {
  readonly child: ChildProcess
  readonly acknowledged: Set<number>
  readonly exited: Promise<void>
  awayCount(): number
}

async function startWriter(dir: string, round: number): Promise<Writer> {
  const child = spawn(process.execPath, ['--conditions=source', PROGRAM, dir, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const acknowledged = new Set<number>()
  let away = 0
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'ready') resolve()
      else if (line === 'away') away++
      else acknowledged.add(Number(line))
    })
    void exited.then(() => reject(new Error('the writer ended before it was ready')))
  })
  return { child, acknowledged, exited, awayCount: () => away }
}

async function written(count: number, writer: Writer): Promise<void> {
  const target = writer.acknowledged.size + count
  const until = Date.now() + 30_000
  while (writer.acknowledged.size < target) {
    assert.ok(Date.now() < until, 'writes go on within 30 s')
    await sleep(10)
  }
}

async function kill(pid: number | undefined): Promise<void> {
  assert.ok(pid, 'there is a process to kill')
  process.kill(pid, 'SIGKILL')
}

/** The backends of a killed database finish what they are at: that may be many writes. */
async function seenAway(writer: Writer): Promise<void> {
  const until = Date.now() + 30_000
  while (writer.awayCount() === 0) {
    assert.ok(Date.now() < until, 'the writer saw the crash as unavailable')
    await sleep(10)
  }
}

/** Goes after the test, with every writer that still runs. */
async function temporaryFolder(t: TestContext, writers: readonly Writer[]): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'scopegate-crash-'))
  t.after(async () => {
    for (const { child } of writers) child.kill('SIGKILL')
    await Promise.all(writers.map(({ exited }) => exited))
    await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  })
  return dir
}

/** Opens the data once more: all acknowledged writes are there, and nothing of the crash is left. */
async function checkAfterwards(dir: string, rounds: readonly Writer[]): Promise<void> {
  // Elsewhere a database whose watcher was killed too is ended by the next start, which follows.
  if (KERNEL_ENDS_ORPHANS) await databaseProcessesGone(dir)
  const storage = await openStorage({ dir }, { migrations: [] })
  try {
    const { rows } = await storage.pool.query(
      'SELECT round, array_agg(n) AS n FROM written GROUP BY 1',
    )
    const found = new Map(rows.map((row) => [row.round, new Set<number>(row.n)]))
    for (const [round, { acknowledged }] of rounds.entries()) {
      const lost = [...acknowledged].filter((n) => !found.get(round)?.has(n))
      assert.deepEqual(lost, [], `acknowledged writes of round ${round} that are gone`)
    }
  } finally {
    await storage.close()
  }
  assert.deepEqual(databaseProcesses(dir), [], 'closing leaves no process')
  const files = await readdir(join(dir, 'postgres'))
  assert.deepEqual(files.sort(), ['cluster', 'lock', 'postgres.log'])
}

const VICTIMS = {
  'the server': async (dir: string, writer: Writer) => {
    await kill(writer.child.pid)
    await writer.exited
    await databaseProcessesGone(dir)
  },
  'the database': async (dir: string, writer: Writer) => {
    await kill(databasePids(dir).postgres)
    await seenAway(writer)
    await written(50, writer)
    await kill(writer.child.pid)
  },
  'the watcher': async (dir: string, writer: Writer) => {
    await kill(databasePids(dir).watcher)
    await written(50, writer)
    await kill(writer.child.pid)
  },
  'server and database': async (dir: string, writer: Writer) => {
    const { postgres } = databasePids(dir)
    await Promise.all([kill(writer.child.pid), kill(postgres)])
  },
  'server and watcher': async (dir: string, writer: Writer) => {
    const { watcher } = databasePids(dir)
    await Promise.all([kill(writer.child.pid), kill(watcher)])
  },
  everything: async (dir: string, writer: Writer) => {
    const { watcher, postgres } = databasePids(dir)
    await Promise.all([kill(writer.child.pid), kill(watcher), kill(postgres)])
  },
}

for (const [victim, strike] of Object.entries(VICTIMS)) {
  test(`kill -9 of ${victim} under write load loses no acknowledged write, ${ROUNDS} times`, async (t) => {
    const writers: Writer[] = []
    const dir = await temporaryFolder(t, writers)
    for (let round = 0; round < ROUNDS; round++) {
      // Not waiting for the last crash to settle: the next start must cope with what it finds.
      const writer = await startWriter(dir, round)
      writers.push(writer)
      await written(100, writer)
      await strike(dir, writer)
      await writer.exited
    }
    await checkAfterwards(dir, writers)
  })
}
