import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type AccessEvent,
  type AdminAuditQuery,
  createAccessAudit,
  createAdminAudit,
  pruneAudit,
  readAdminAudit,
  verifyAudit,
} from '@scopegate/audit'
import { testStorage } from '@scopegate/storage/testing'
import type { Pool } from './pool.ts'

const NOW_MS = Date.UTC(2026, 10, 23)
const KEY = new Uint8Array(32).fill(3)

function event(n: number, more: Partial<AccessEvent> = {}): AccessEvent {
  return {
    atMs: NOW_MS + n,
    correlationId: `req-${n}`,
    endpoint: 'https://api.example/fhir/r4',
    clientId: 'lab',
    subject: 'alice',
    patient: 'P1',
    interaction: 'read',
    resourceType: 'Observation',
    resourceId: `O${n}`,
    decision: 'permitted',
    status: 200,
    count: 1,
    ...more,
  }
}

async function filled(pool: Pool, count: number, chainKey = KEY) {
  const audit = createAccessAudit({ pool, mode: 'required', chainKey })
  await Promise.all(Array.from({ length: count }, (_, n) => audit.record(event(n + 1))))
  return audit
}
const rows = async (pool: Pool) =>
  (await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM audit_access')).rows[0]!.n

/** As somebody with all rights on the database. */
async function tamper(pool: Pool, sql: string) {
  await pool.query('ALTER TABLE audit_access DISABLE TRIGGER ALL')
  await pool.query(sql)
  await pool.query('ALTER TABLE audit_access ENABLE TRIGGER ALL')
}

describe('required', () => {
  test('an answer waits until its row is durable', async (t) => {
    const { pool } = await testStorage(t)
    const audit = createAccessAudit({ pool, mode: 'required', chainKey: KEY })
    await audit.record(event(1))
    assert.equal(await rows(pool), 1)
    const { rows: found } = await pool.query('SELECT patient, client_id, content FROM audit_access')
    assert.equal(found[0].patient, 'P1')
    assert.deepEqual(JSON.parse(found[0].content), event(1))
  })

  test('many requests share few statements', async (t) => {
    const { pool } = await testStorage(t)
    let statements = 0
    pool.on('acquire', () => {
      statements += 1
    })
    await filled(pool, 2000)
    assert.ok(statements < 20, `${statements} statements`)
    assert.equal(await rows(pool), 2000)
  })

  test('a row that cannot be written fails the request and is written later, in its place', async (t) => {
    const { pool } = await testStorage(t)
    const errors: unknown[] = []
    const audit = createAccessAudit({
      pool,
      mode: 'required',
      chainKey: KEY,
      onError: (error) => errors.push(error),
    })
    await audit.record(event(1))
    await pool.query('ALTER TABLE audit_access RENAME TO away')
    await assert.rejects(async () => audit.record(event(2)))
    assert.equal(errors.length, 1)
    await pool.query('ALTER TABLE away RENAME TO audit_access')
    await audit.record(event(3))
    const { rows: found } = await pool.query('SELECT seq, at_ms FROM audit_access ORDER BY seq')
    assert.deepEqual(
      found,
      [1, 2, 3].map((seq) => ({ seq, at_ms: NOW_MS + seq })),
    )
    assert.equal((await verifyAudit({ pool, kind: 'access', chainKey: KEY })).intact, true)
  })

  test('after close nothing is taken', async (t) => {
    const { pool } = await testStorage(t)
    const audit = await filled(pool, 1)
    await audit.close()
    await assert.rejects(async () => audit.record(event(2)))
    assert.equal(audit.lost, 1)
  })
})

describe('best effort', () => {
  test('nobody waits, and everything is there after a flush', async (t) => {
    const { pool } = await testStorage(t)
    const audit = createAccessAudit({ pool, mode: 'best-effort' })
    for (let n = 1; n <= 2500; n += 1) assert.equal(audit.record(event(n)), undefined)
    await audit.flush()
    assert.equal(await rows(pool), 2500)
    assert.equal(audit.lost, 0)
    assert.deepEqual(await verifyAudit({ pool, kind: 'access' }), {
      intact: true,
      entries: 2500,
      chains: 1,
    })
  })

  test('what was lost is counted, and the gap stands in the chain', async (t) => {
    const { pool } = await testStorage(t)
    const audit = createAccessAudit({ pool, mode: 'best-effort', maxBuffered: 100 })
    for (let n = 1; n <= 150; n += 1) audit.record(event(n))
    assert.equal(audit.lost, 50)
    await audit.flush()
    audit.record(event(151))
    await audit.close()
    const { rows: found } = await pool.query(
      `SELECT content FROM audit_access WHERE content LIKE '{"lostBefore"%'`,
    )
    const told = found.reduce((sum, row) => sum + JSON.parse(row.content).lostBefore, 0)
    assert.equal(told, audit.lost)
  })
})

describe('the chain', () => {
  test('of several writers at once is intact, and says so', async (t) => {
    const { pool } = await testStorage(t)
    await Promise.all([filled(pool, 300), filled(pool, 300), filled(pool, 300)])
    assert.deepEqual(await verifyAudit({ pool, kind: 'access', chainKey: KEY }), {
      intact: true,
      entries: 900,
      chains: 3,
    })
  })

  const attacks: readonly [string, string, RegExp][] = [
    [
      'a changed entry',
      `UPDATE audit_access SET content = replace(content, 'alice', 'mallory') WHERE seq = 5`,
      /entry 5 was changed/,
    ],
    [
      'a changed column',
      `UPDATE audit_access SET patient = 'P2' WHERE seq = 5`,
      /entry 5 was changed/,
    ],
    ['a removed entry', 'DELETE FROM audit_access WHERE seq = 5', /entry 5 is missing/],
    ['a cut end', 'DELETE FROM audit_access WHERE seq > 8', /entries 9 to 10 are missing/],
    [
      'a cut end with a head put back',
      `UPDATE audit_chain c SET last_seq = 8, last_hash = a.hash FROM audit_access a WHERE a.seq = 8 AND a.writer = c.writer;
       DELETE FROM audit_access WHERE seq > 8`,
      /entry 8 is not the one its head names/,
    ],
    ['a cut beginning', 'DELETE FROM audit_access WHERE seq < 3', /entry 1 is missing/],
    [
      'exchanged entries',
      'UPDATE audit_access a SET content = b.content, at_ms = b.at_ms FROM audit_access b WHERE (a.seq, b.seq) IN ((4, 5), (5, 4))',
      /entry 4 was changed/,
    ],
    [
      'an entry of nobody',
      `INSERT INTO audit_access VALUES (gen_random_uuid(), 1, 1, NULL, NULL, '{"atMs":1}', '\\x00')`,
      /belongs to no chain/,
    ],
  ]
  for (const [what, sql, problem] of attacks) {
    test(`shows ${what}`, async (t) => {
      const { pool } = await testStorage(t)
      await filled(pool, 10)
      await tamper(pool, sql)
      const verified = await verifyAudit({ pool, kind: 'access', chainKey: KEY })
      assert.equal(verified.intact, false)
      assert.match(verified.problem ?? '', problem)
    })
  }

  test('with a key cannot be written anew without it', async (t) => {
    const { pool } = await testStorage(t)
    await filled(pool, 3, new Uint8Array(32).fill(9))
    const verified = await verifyAudit({ pool, kind: 'access', chainKey: KEY })
    assert.match(verified.problem ?? '', /entry 1 was changed/)
    const keyless = await verifyAudit({ pool, kind: 'access' })
    assert.match(keyless.problem ?? '', /with a key/)
  })

  test('is append-only for the program itself', async (t) => {
    const { pool } = await testStorage(t)
    await filled(pool, 3)
    for (const sql of [
      'UPDATE audit_access SET at_ms = 0',
      'DELETE FROM audit_access',
      'TRUNCATE audit_access',
    ]) {
      await assert.rejects(pool.query(sql), /append-only/)
    }
  })

  test('is shortened by retention from its old end only, and stays verifiable', async (t) => {
    const { pool } = await testStorage(t)
    const audit = await filled(pool, 10)
    const cut = { pool, kind: 'access', keepSeconds: 1, nowMs: NOW_MS + 1000 + 6 } as const
    assert.equal(await pruneAudit(cut), 5)
    assert.equal(await pruneAudit(cut), 0)
    assert.deepEqual(await verifyAudit({ pool, kind: 'access', chainKey: KEY }), {
      intact: true,
      entries: 5,
      chains: 1,
    })
    assert.equal(await pruneAudit({ ...cut, nowMs: NOW_MS + 10_000 }), 5)
    await audit.record(event(11))
    assert.deepEqual(await verifyAudit({ pool, kind: 'access', chainKey: KEY }), {
      intact: true,
      entries: 1,
      chains: 1,
    })
  })
})

test('the admin audit is a chain of its own', async (t) => {
  const { pool } = await testStorage(t)
  const audit = createAdminAudit({ pool, mode: 'required', chainKey: KEY })
  await audit.record({
    atMs: NOW_MS,
    correlationId: 'req-1',
    action: 'client.create',
    target: 'client/lab',
    decision: 'permitted',
    status: 201,
  })
  assert.deepEqual(await verifyAudit({ pool, kind: 'admin', chainKey: KEY }), {
    intact: true,
    entries: 1,
    chains: 1,
  })
  assert.equal((await verifyAudit({ pool, kind: 'access', chainKey: KEY })).entries, 0)
  await assert.rejects(pool.query('DELETE FROM audit_admin'), /append-only/)
})

test('entries of the admin audit are found by who, what and when, newest first', async (t) => {
  const { pool } = await testStorage(t)
  const audit = createAdminAudit({ pool, mode: 'required', chainKey: KEY })
  const entries = [
    ['key.sign', 'key/partner1', 'app-lab'],
    ['key.sign', 'key/other', 'app-lab'],
    ['key.create', 'key/partner1', 'scopegate-cli'],
    ['connection.token', 'connection/lab', 'app-lab'],
  ] as const
  for (const [index, [action, target, clientId]] of entries.entries()) {
    const correlationId = `c${index}`
    await audit.record({
      ...{ atMs: NOW_MS + index, correlationId, clientId, action, target },
      ...{ decision: 'permitted', status: 200 },
    })
  }
  const found = async (query: AdminAuditQuery) =>
    (await readAdminAudit(pool, query)).map((entry) => 'action' in entry && entry.correlationId)
  assert.deepEqual(await found({}), ['c3', 'c2', 'c1', 'c0'])
  assert.deepEqual(await found({ action: 'key.' }), ['c2', 'c1', 'c0'])
  assert.deepEqual(await found({ action: 'key.sign', target: 'key/partner1' }), ['c0'])
  assert.deepEqual(await found({ clientId: 'app-lab', limit: 2 }), ['c3', 'c1'])
  assert.deepEqual(await found({ fromMs: NOW_MS + 1, beforeMs: NOW_MS + 3 }), ['c2', 'c1'])
  assert.deepEqual(await found({ correlationId: "c0' OR true" }), [])
})
