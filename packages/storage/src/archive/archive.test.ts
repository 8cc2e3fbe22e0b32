import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import {
  backup,
  type Migration,
  move,
  openStorage,
  restore,
  type Storage,
  verifyArchive,
} from '@scopegate/storage'
import { emptyTestDatabase } from '@scopegate/storage/testing'

/** Every kind of column and relation that an archive must carry. */
const SHAPES: Migration = {
  name: '0001-shapes',
  async up(client) {
    await client.query(`
      CREATE TABLE z_parent (id int PRIMARY KEY, up int REFERENCES z_parent (id));
      CREATE TABLE a_child (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        parent int NOT NULL REFERENCES z_parent (id),
        "Odd ""Name" text, raw bytea, doc jsonb, tags text[], at timestamptz, f float8, n numeric,
        twice int GENERATED ALWAYS AS (parent * 2) STORED);
      CREATE TABLE nothing_in_here (a int);
      CREATE SEQUENCE ticket`)
  },
}

async function open(t: TestContext, migrations: readonly Migration[] = [SHAPES]) {
  const storage = await openStorage(
    { url: await emptyTestDatabase(t) },
    { migrations, poolSize: 3 },
  )
  // Before the database is dropped.
  t.after(() => storage.close())
  return storage
}

async function fill(storage: Storage, rows: number): Promise<void> {
  await storage.pool.query('INSERT INTO z_parent VALUES (1, NULL), (2, 1), (3, 3)')
  await storage.pool.query(
    `INSERT INTO a_child (parent, "Odd ""Name", raw, doc, tags, at, f, n)
     SELECT 1 + g % 3, E'tab\\tline\\nback\\\\slash ' || g || repeat('ü', g % 500),
            decode(md5(g::text), 'hex'), jsonb_build_object('g', g), ARRAY['a', NULL, '{'],
            '2024-02-29 23:59:59.999+05:45', 1 / g::float8, 1.00 / g
       FROM generate_series(1, $1) g`,
    [rows],
  )
  await storage.pool.query(`SELECT setval('ticket', 4711)`)
}

async function content(storage: Storage) {
  const { rows } = await storage.pool.query(
    `SELECT (SELECT md5(string_agg(c::text, '|' ORDER BY id)) FROM a_child c) AS children,
            (SELECT md5(string_agg(p::text, '|' ORDER BY id)) FROM z_parent p) AS parents`,
  )
  return rows[0]
}

async function folder(t: TestContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'scopegate-archive-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return dir
}

test('a backup restored elsewhere is the same data, sequences included', async (t) => {
  const [source, target] = [await open(t), await open(t)]
  await fill(source, 5000)
  const path = join(await folder(t), 'backup.gz')
  const phases = new Set<string>()

  const written = await backup(source, path)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  const restored = await restore(path, target, { onProgress: ({ phase }) => phases.add(phase) })

  assert.deepEqual(restored, written)
  assert.equal(written.rows, 5003)
  assert.deepEqual(await content(target), await content(source))
  assert.deepEqual([...phases], ['copy', 'verify'])
  const { rows } = await target.pool.query(
    `INSERT INTO a_child (parent) VALUES (1) RETURNING id, nextval('ticket') AS ticket`,
  )
  assert.deepEqual(rows, [{ id: 5001, ticket: 4712 }])
})

test('a backup is of one moment although writers go on', async (t) => {
  const source = await open(t)
  await fill(source, 20_000)
  let writing = true
  let added = 0
  const writer = (async () => {
    while (writing) {
      // Together or not at all: a parent and its child.
      await source.transaction(async (client) => {
        await client.query('INSERT INTO z_parent VALUES ($1)', [10 + added])
        await client.query('INSERT INTO a_child (parent) VALUES ($1)', [10 + added])
      })
      added++
    }
  })()
  const path = join(await folder(t), 'backup.gz')
  const { tables } = await backup(source, path)
  writing = false
  await writer
  const rows = Object.fromEntries(tables.map((entry) => [entry.table, entry.rows]))
  assert.ok(added > 0)
  assert.equal(rows.a_child! - 20_000, rows.z_parent! - 3)
})

test('restore refuses a database that has rows, and leaves it alone', async (t) => {
  const source = await open(t)
  await fill(source, 10)
  const path = join(await folder(t), 'backup.gz')
  await backup(source, path)
  const before = await content(source)
  await assert.rejects(restore(path, source), { problem: 'target-not-empty' })
  assert.deepEqual(await content(source), before)
})

test('a cut, changed or foreign file is refused and nothing of it is kept', async (t) => {
  const source = await open(t)
  await fill(source, 3000)
  const dir = await folder(t)
  const path = join(dir, 'backup.gz')
  await backup(source, path)
  const whole = await readFile(path)
  const plain = gunzipSync(whole)

  const changed = Buffer.from(plain)
  changed[Math.floor(plain.length / 2)]! ^= 1
  // No rows to PostgreSQL, which sees them before their checksum is compared.
  const merged = Buffer.from(plain)
  merged.write('x', plain.indexOf('\t', plain.length >> 1))
  const foreign = Buffer.from(plain)
  foreign.write('\xff', plain.indexOf('\t', plain.length >> 1) + 1, 'latin1')
  const cases: Record<string, Buffer> = {
    'cut gzip': whole.subarray(0, whole.length - 100),
    'cut archive': gzipSync(plain.subarray(0, plain.length - 40)),
    'changed byte': gzipSync(changed),
    'merged columns': gzipSync(merged),
    'no UTF-8': gzipSync(foreign),
    'other file': gzipSync('hello'),
    'not gzip': Buffer.from('hello'),
  }
  for (const [name, bytes] of Object.entries(cases)) {
    await t.test(name, async (t) => {
      const bad = join(dir, 'bad.gz')
      await writeFile(bad, bytes)
      const target = await open(t)
      await assert.rejects(verifyArchive(bad), { problem: 'bad-archive' })
      await assert.rejects(restore(bad, target), { problem: 'bad-archive' })
      const { rows } = await target.pool.query('SELECT count(*) AS n FROM a_child')
      assert.deepEqual(rows, [{ n: 0 }])
      assert.equal((await restore(path, target)).rows, 3003, 'a good one still fits')
    })
  }
})

test('a backup never overwrites a file and leaves no part behind when it fails', async (t) => {
  const source = await open(t)
  const dir = await folder(t)
  const path = join(dir, 'backup.gz')
  await writeFile(path, 'precious')
  await assert.rejects(backup(source, path), { code: 'EEXIST' })
  assert.equal(await readFile(path, 'utf8'), 'precious')
  await assert.rejects(backup(source, join(dir, 'no', 'such', 'folder.gz')), { code: 'ENOENT' })
  await truncate(path)
})

test('an older backup is restored and then migrated', async (t) => {
  const source = await open(t)
  await fill(source, 100)
  const path = join(await folder(t), 'backup.gz')
  await backup(source, path)
  const newer: Migration = {
    name: '0002-newer',
    async up(client) {
      await client.query(`ALTER TABLE a_child ADD COLUMN size int;
                          UPDATE a_child SET size = length("Odd ""Name")`)
    },
  }
  const target = await open(t, [SHAPES, newer])
  await restore(path, target)
  const { rows } = await target.pool.query(
    `SELECT count(*) FILTER (WHERE size > 0) AS n,
            (SELECT max(version) FROM scopegate_migration) AS version FROM a_child`,
  )
  assert.deepEqual(rows, [{ n: 100, version: 2 }])

  const old = await open(t)
  const newerPath = join(await folder(t), 'newer.gz')
  await backup(target, newerPath)
  await assert.rejects(restore(newerPath, old), { problem: 'newer-schema' })
})

test('move copies a database into an empty one and leaves the source', async (t) => {
  const [source, target] = [await open(t), await open(t)]
  await fill(source, 20_000)
  const report = await move(source, target, { holdWrites: true })
  assert.equal(report.rows, 20_003)
  assert.deepEqual(await content(target), await content(source))
  await assert.rejects(move(source, target), { problem: 'target-not-empty' })
})

test('move that fails at the source or the target ends on both sides', async (t) => {
  const [source, target] = [await open(t), await open(t)]
  await fill(source, 20_000)
  let ended: Promise<unknown> | undefined
  const moving = move(source, target, {
    onProgress: ({ rows }) => {
      if (rows === 0) return
      ended ??= source.pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND query LIKE 'COPY%'`,
      )
    },
  })
  await assert.rejects(moving)
  await ended
  const { rows } = await target.pool.query('SELECT count(*) AS n FROM a_child')
  assert.deepEqual(rows, [{ n: 0 }])
})
