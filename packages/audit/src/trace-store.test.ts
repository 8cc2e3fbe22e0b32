import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTraceStore, redactPath, type Trace } from '@scopegate/audit'
import { testStorage } from '@scopegate/storage/testing'

const NOW_MS = Date.UTC(2026, 10, 23)

function trace(n: number, more: Partial<Trace> = {}): Trace {
  return {
    correlationId: `req-${n}`,
    atMs: NOW_MS + n,
    endpoint: 'https://api.example/fhir/r4',
    method: 'GET',
    path: '/Observation',
    status: 403,
    outcome: 'refused',
    durationMs: 1,
    clientId: 'lab',
    checks: [{ name: 'scopes', outcome: 'fail', code: 'scope_missing' }],
    ...more,
  }
}

test('a trace is found at once, by id, client and outcome, newest first', async (t) => {
  const { pool } = await testStorage(t)
  const traces = createTraceStore({ pool, now: () => NOW_MS })
  traces.record('refused', () => trace(1))
  traces.record('absent', () => trace(2, { outcome: 'absent', clientId: 'other' }))
  assert.deepEqual(await traces.list({ correlationId: 'req-1' }), [trace(1)])
  assert.deepEqual(
    (await traces.list({})).map(({ correlationId }) => correlationId),
    ['req-2', 'req-1'],
  )
  assert.equal((await traces.list({ clientId: 'other' }))[0]?.correlationId, 'req-2')
  assert.equal((await traces.list({ outcome: 'refused' })).length, 1)
  assert.equal((await traces.list({ limit: 1 })).length, 1)
  assert.deepEqual(
    (await traces.list({ beforeMs: NOW_MS + 2 })).map(({ atMs }) => atMs),
    [NOW_MS + 1],
  )
  await traces.close()
})

test('permitted requests are thinned out under load, refused ones never', async (t) => {
  const { pool } = await testStorage(t)
  const traces = createTraceStore({ pool, now: () => NOW_MS, lingerMs: 60_000 })
  let made = 0
  for (let n = 0; n < 1000; n += 1) {
    traces.record('permitted', () => {
      made += 1
      return trace(n, { outcome: 'permitted' })
    })
    traces.record('refused', () => trace(n))
  }
  assert.ok(made <= 50)
  await traces.flush()
  const { rows } = await pool.query(
    `SELECT count(*)::int AS n FROM trace WHERE outcome = 'refused'`,
  )
  assert.equal(rows[0].n, 1000)
  await traces.close()
})

test('is bounded in number and age', async (t) => {
  const { pool } = await testStorage(t)
  let nowMs = NOW_MS
  const options = { pool, now: () => nowMs, maxTraces: 10, maxAgeSeconds: 3600 }
  const traces = createTraceStore(options)
  for (let n = 0; n < 30; n += 1) traces.record('refused', () => trace(n))
  await traces.flush()
  assert.equal((await traces.list({})).length, 10)
  assert.equal((await traces.list({}))[0]?.correlationId, 'req-29')
  nowMs += 2 * 3600 * 1000
  assert.equal((await traces.list({})).length, 0)
  await traces.close()
})

test('a database that is away loses nothing that fits the buffer', async (t) => {
  const { pool } = await testStorage(t)
  const errors: unknown[] = []
  const traces = createTraceStore({
    pool,
    now: () => NOW_MS,
    onError: (error) => errors.push(error),
  })
  await pool.query('ALTER TABLE trace RENAME TO away')
  traces.record('refused', () => trace(1))
  await assert.rejects(traces.flush())
  await pool.query('ALTER TABLE away RENAME TO trace')
  assert.equal((await traces.list({})).length, 1)
  await traces.close()
})

test('the path keeps types, ids and names, and no search value', () => {
  assert.equal(redactPath('/Patient/123/_history/2'), '/Patient/123/_history/2')
  assert.equal(
    redactPath(
      '/Patient?name=Ana&birthdate=ge1970&_count=10&_sort=-date&identifier%3Aof-type=x&flag',
    ),
    '/Patient?name=…&birthdate=…&_count=10&_sort=-date&identifier%3Aof-type=…&flag',
  )
  assert.equal(
    redactPath('/Patient?_cursor=abc&_id=1&access_token=secret'),
    '/Patient?_cursor=…&_id=…&access_token=[redacted]',
  )
  const token = `eyJhbGciOiJFUzI1NiJ9.${'e'.repeat(80)}.${'s'.repeat(86)}`
  for (const target of [`/Patient/${token}`, `/Patient?_sort=${token}`, `/${token}?x=1`]) {
    assert.ok(!redactPath(target).includes('eee'), 'a token that stands in the path')
  }
  assert.equal(redactPath(`/Patient?${'a'.repeat(2000)}=1`).length, 500)
})
