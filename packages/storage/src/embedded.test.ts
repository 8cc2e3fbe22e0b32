import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  attachStorage,
  openStorage,
  type Storage,
  StorageError,
  storageProblem,
} from '@scopegate/storage'
import { databasePids, databaseProcesses } from '@scopegate/storage/testing'

const WINDOWS = process.platform === 'win32'

const cleanups = new WeakMap<TestContext, (() => Promise<unknown>)[]>()

/** Unlike `t.after`, last in first out: a database is closed before its folder goes. */
function finallyIn(t: TestContext, fn: () => Promise<unknown>): void {
  const known = cleanups.get(t)
  if (known) return void known.push(fn)
  const list = [fn]
  cleanups.set(t, list)
  t.after(async () => {
    for (const cleanup of list.reverse()) await cleanup()
  })
}

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'scopegate-embedded-'))
  finallyIn(t, () => rm(dir, { recursive: true, force: true }))
  return dir
}

async function open(t: TestContext, dir: string, serverUrl = 'http://127.0.0.1:8080') {
  const storage = await openStorage({ dir }, { serverUrl, migrations: [], poolSize: 3 })
  finallyIn(t, () => storage.close())
  return storage
}

async function setting(storage: Storage, name: string): Promise<string> {
  const { rows } = await storage.pool.query('SELECT current_setting($1) AS value', [name])
  return rows[0].value
}

test('the embedded database is closed to others, durable, and on no TCP port', async (t) => {
  const dir = join(await folder(t), 'data')
  const storage = await open(t, dir)
  assert.equal((await stat(dir)).mode & 0o777, 0o700)
  assert.equal((await stat(join(dir, 'postgres'))).mode & 0o777, 0o700)
  if (!WINDOWS) assert.equal(await setting(storage, 'listen_addresses'), '')
  for (const name of ['fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums']) {
    assert.equal(await setting(storage, name), 'on', name)
  }
})

test('durability cannot be switched off, memory can be tuned', async (t) => {
  const dir = await folder(t)
  const storage = await openStorage(
    { dir },
    { settings: { fsync: 'off', work_mem: '7MB' }, migrations: [] },
  )
  finallyIn(t, () => storage.close())
  assert.equal(await setting(storage, 'fsync'), 'on')
  assert.equal(await setting(storage, 'work_mem'), '7MB')
})

test('a second start finds the data, closing leaves neither process nor stray file', async (t) => {
  const dir = await folder(t)
  const first = await open(t, dir)
  await first.pool.query('CREATE TABLE kept AS SELECT 42 AS n')
  await first.close()
  assert.deepEqual(databaseProcesses(dir), [])
  assert.deepEqual((await readdir(join(dir, 'postgres'))).sort(), [
    'cluster',
    'lock',
    'postgres.log',
  ])
  const second = await open(t, dir)
  assert.deepEqual((await second.pool.query('SELECT n FROM kept')).rows, [{ n: 42 }])
})

test('of many servers that start on one directory at once exactly one wins, the others name it', async (t) => {
  const dir = await folder(t)
  const opened = await Promise.allSettled(
    [1, 2, 3, 4].map((n) => open(t, dir, `http://127.0.0.1:808${n}`)),
  )
  const winners = opened.filter((result) => result.status === 'fulfilled')
  const losers = opened.filter((result) => result.status === 'rejected')
  assert.equal(winners.length, 1)
  const owner = JSON.parse(await readFile(join(dir, 'postgres', 'owner.json'), 'utf8'))
  for (const { reason } of losers) {
    assert.ok(reason instanceof StorageError)
    assert.equal(reason.problem, 'in-use')
    assert.ok(reason.message.includes(`process ${process.pid}, ${owner.url}`), reason.message)
  }
  assert.deepEqual((await winners[0]!.value.pool.query('SELECT 1 AS up')).rows, [{ up: 1 }])
})

test('a program that ends without closing takes its database with it', async (t) => {
  const dir = await folder(t)
  const program = `
    import { openStorage } from '@scopegate/storage'
    await openStorage({ dir: ${JSON.stringify(dir)} }, { migrations: [] })`
  const child = spawn(
    process.execPath,
    ['--conditions=source', '--input-type=module', '-e', program],
    { stdio: 'inherit', cwd: import.meta.dirname },
  )
  const code = await new Promise((resolve) => child.once('exit', resolve))
  assert.equal(code, 0, 'an open storage keeps no program alive')
  const next = await open(t, dir)
  assert.deepEqual((await next.pool.query('SELECT 1 AS up')).rows, [{ up: 1 }])
})

test('an interrupted first start leaves nothing that the next one stumbles over', async (t) => {
  const dir = await folder(t)
  const unfinished = join(dir, 'postgres', 'cluster.new-0badcafe')
  await mkdir(join(unfinished, 'base'), { recursive: true })
  await writeFile(join(unfinished, 'PG_VERSION'), '18\n')
  await open(t, dir)
  await assert.rejects(lstat(unfinished), { code: 'ENOENT' })
})

test('the id of a foreign process in postmaster.pid is not believed', async (t) => {
  const dir = await folder(t)
  const first = await open(t, dir)
  await first.close()
  // As after a reboot: the number now belongs to somebody else.
  await writeFile(
    join(dir, 'postgres', 'cluster', 'postmaster.pid'),
    `${process.pid}\n${join(dir, 'postgres', 'cluster')}\n1\n5432\n${join(dir, 'postgres')}\n\n\nready   \n`,
  )
  await writeFile(join(dir, 'postgres', '.s.PGSQL.5432.lock'), `${process.pid}\n`)
  const second = await open(t, dir)
  assert.deepEqual((await second.pool.query('SELECT 1 AS up')).rows, [{ up: 1 }])
})

test('data of another major version is refused with the way to move, and not touched', async (t) => {
  const dir = await folder(t)
  const cluster = join(dir, 'postgres', 'cluster')
  await mkdir(cluster, { recursive: true, mode: 0o700 })
  await writeFile(join(cluster, 'PG_VERSION'), '17\n')
  await assert.rejects(open(t, dir), (error: StorageError) => {
    assert.equal(error.problem, 'other-major-version')
    assert.match(error.message, /PostgreSQL 17.*brings 18.*scopegate backup/s)
    return true
  })
  assert.deepEqual(await readdir(cluster), ['PG_VERSION'])
})

test('a folder that is no database is refused, and not touched', async (t) => {
  const dir = await folder(t)
  const cluster = join(dir, 'postgres', 'cluster')
  await mkdir(cluster, { recursive: true })
  await writeFile(join(cluster, 'thesis.txt'), 'precious')
  await assert.rejects(open(t, dir), { problem: 'start-failed' })
  assert.deepEqual(await readdir(cluster), ['thesis.txt'])
})

test('a folder that cannot be made is named', { skip: process.platform !== 'linux' }, async (t) => {
  const file = join(await folder(t), 'file')
  await writeFile(file, '')
  for (const dir of ['/proc/scopegate', join(file, 'data'), file]) {
    await assert.rejects(open(t, dir), (error: StorageError) => {
      assert.equal(error.problem, 'cannot-run-here', error.message)
      assert.ok(error.message.includes(dir) && error.message.includes('storage.dir'), error.message)
      return true
    })
  }
})

test('a path too long for a socket, with spaces and commas, works', {
  skip: WINDOWS,
}, async (t) => {
  const dir = join(await folder(t), `a, long "path" with ${'x'.repeat(100)}`)
  const storage = await open(t, dir)
  const host = storage.connection.host!
  assert.ok(host.length < 80)
  assert.equal((await stat(host)).mode & 0o777, 0o700)
  assert.deepEqual((await storage.pool.query('SELECT 1 AS up')).rows, [{ up: 1 }])
  await storage.close()
  await assert.rejects(stat(host), { code: 'ENOENT' }, 'the private folder is removed')

  const short = join(await folder(t), 'a, "b" c')
  const second = await open(t, short)
  assert.equal(second.connection.host, join(short, 'postgres'))
})

test('the pool works again after the database was killed and started anew', {
  skip: WINDOWS,
}, async (t) => {
  const dir = await folder(t)
  const events: string[] = []
  const storage = await openStorage(
    { dir },
    { migrations: [], onEvent: ({ event }) => events.push(event) },
  )
  finallyIn(t, () => storage.close())
  const before = databasePids(dir).postgres!
  process.kill(before, 'SIGKILL')
  const until = Date.now() + 20_000
  let failures = 0
  for (;;) {
    try {
      await storage.transaction((client) => client.query('SELECT 1'))
      if (databasePids(dir).postgres !== before) break
    } catch (error) {
      failures++
      assert.equal((error as StorageError).problem, 'unavailable', String((error as Error).cause))
    }
    assert.ok(Date.now() < until, 'recovers within 20 s')
  }
  assert.ok(failures > 0)
  assert.ok(events.includes('down'))
  assert.notEqual(storage.pids().postgres, before)
})

test('the log of the database holds neither statements nor values', async (t) => {
  const dir = await folder(t)
  const storage = await open(t, dir)
  await storage.pool.query('CREATE TABLE person (name text UNIQUE, born date)')
  await storage.pool.query(`INSERT INTO person VALUES ('Hidden Patient')`)
  await assert.rejects(storage.pool.query('INSERT INTO person VALUES ($1)', ['Hidden Patient']))
  await assert.rejects(storage.pool.query(`SELECT 'Hidden Patient'::int`))
  await storage.close()
  const log = await readFile(join(dir, 'postgres', 'postgres.log'), 'utf8')
  assert.ok(!log.includes('Hidden'), log)
})

test('another process may join a running database, for a backup, and leaves it running', async (t) => {
  const dir = await folder(t)
  assert.equal(await attachStorage(dir), undefined)
  const storage = await open(t, dir)
  const joined = await attachStorage(dir, { migrations: [] })
  assert.ok(joined)
  await joined.pool.query('CREATE TABLE seen (a int)')
  await joined.close()
  assert.deepEqual((await storage.pool.query('SELECT count(*) AS n FROM seen')).rows, [{ n: 0 }])
  await storage.close()
  assert.equal(await attachStorage(dir), undefined)
})

test('closing does not wait for ever for work that hangs', async (t) => {
  const dir = await folder(t)
  const storage = await open(t, dir)
  const hanging = storage.pool.query('SELECT pg_sleep(1000)').catch((error: Error) => error)
  const start = Date.now()
  await storage.close()
  assert.ok(Date.now() - start < 9000)
  assert.equal(storageProblem(await hanging), 'unavailable')
})

const MAY_MOUNT =
  process.platform === 'linux' &&
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0

test('a disk that fills up refuses writes, serves reads, and recovers by itself', {
  skip: MAY_MOUNT ? false : 'needs root and mount namespaces',
}, async (t) => {
  const dir = await folder(t)
  const program = `
    import { rmSync } from 'node:fs'
    import { setTimeout as sleep } from 'node:timers/promises'
    import { openStorage, storageProblem } from '@scopegate/storage'
    const settings = { max_wal_size: '64MB', min_wal_size: '32MB' }
    const storage = await openStorage({ dir: 'data' }, { migrations: [], settings })
    await storage.pool.query('CREATE TABLE filler (text text)')
    const write = () => storage.transaction((client) =>
      client.query("INSERT INTO filler SELECT repeat(md5(g::text), 50) FROM generate_series(1, 200) g"))
    const until = Date.now() + 60_000
    let problem
    while (!problem && Date.now() < until) {
      await write().catch((error) => { problem = storageProblem(error) })
      await sleep(20)
    }
    const { rows } = await storage.pool.query('SELECT count(*) > 0 AS reads FROM filler')
    rmSync('ballast')
    for (const late = Date.now() + 20_000; ; await sleep(100)) {
      const refused = await write().catch((error) => error)
      if (!(refused instanceof Error)) break
      if (Date.now() > late) throw refused
    }
    await storage.close()
    console.log(JSON.stringify({ problem, ...rows[0] }))`
  // The guard looks twice a second: what is written between two looks, and the log kept until a
  // checkpoint, must be less than what the ballast gives back.
  const script = `mount -t tmpfs -o size=300m tmpfs "$1" && cd "$1" &&
    head -c 100000000 /dev/zero > ballast && mkdir -p node_modules/@scopegate &&
    ln -s "$2" node_modules/@scopegate/storage &&
    exec "$3" --conditions=source --input-type=module -e "$4"`
  const { stdout } = spawnSync(
    'unshare',
    [
      '-m',
      'sh',
      '-c',
      script,
      'sh',
      dir,
      join(import.meta.dirname, '..'),
      process.execPath,
      program,
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  )
  assert.deepEqual(JSON.parse(stdout), { problem: 'read-only', reads: true })
})
