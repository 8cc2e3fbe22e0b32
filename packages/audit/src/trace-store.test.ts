import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTraceStore, redactApiPath, redactPath, type Trace } from '@scopegate/audit'
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

test('a trace is found by its path and by the code of its failure', async (t) => {
  const { pool } = await testStorage(t)
  const traces = createTraceStore({ pool, now: () => NOW_MS })
  const other = [{ name: 'audience', outcome: 'fail', code: 'audience_mismatch' }] as const
  traces.record('refused', () => trace(1))
  traces.record('refused', () => trace(2, { path: '/Patient/…', checks: other }))
  const found = async (query: object) =>
    (await traces.list(query)).map(({ correlationId }) => correlationId)
  assert.deepEqual(await found({ code: 'audience_mismatch' }), ['req-2'])
  assert.deepEqual(await found({ code: 'nonsense' }), [])
  assert.deepEqual(await found({ path: '/Observation' }), ['req-1'])
  assert.deepEqual(await found({ path: '/Patient/p1' }), ['req-2'], 'ids are masked there as well')
  assert.deepEqual(await found({ path: '/Patient', code: 'scope_missing' }), [])
  await traces.close()
})

test('who follows sees what comes from then on, also from other processes, once each', async (t) => {
  const { pool } = await testStorage(t)
  const [one, two] = [0, 1].map(() => createTraceStore({ pool, lingerMs: 5, followMs: 10 }))
  one!.record('refused', () => trace(1))
  await one!.flush()
  const stop = new AbortController()
  const followed = one!.follow({ outcome: 'refused' }, stop.signal)[Symbol.asyncIterator]()
  // Only what comes once the follower has looked is new: recorded until it has.
  let n = 2
  const pump = setInterval(() => two!.record('refused', () => trace(n++)), 20)
  const seen = [(await followed.next()).value?.correlationId]
  clearInterval(pump)
  two!.record('permitted', () => trace(3000, { outcome: 'permitted' }))
  one!.record('refused', () => trace(4000))
  while (seen.at(-1) !== 'req-4000') seen.push((await followed.next()).value?.correlationId)
  assert.equal(new Set(seen).size, seen.length)
  assert.ok(!seen.includes('req-1') && !seen.includes('req-3000'))
  const end = followed.next()
  stop.abort()
  assert.equal((await end).done, true)
  await Promise.all([one!.close(), two!.close()])
})

test('what is left out or lost is counted; texts are bounded', async (t) => {
  const { pool } = await testStorage(t)
  const traces = createTraceStore({ pool, lingerMs: 60_000 })
  for (let n = 0; n < 60; n += 1)
    traces.record('permitted', () => trace(n, { outcome: 'permitted' }))
  assert.deepEqual(traces.dropped, { sampled: 10, lost: 0 })
  for (let n = 0; n < 5000; n += 1) traces.record('refused', () => trace(n))
  assert.deepEqual(traces.dropped, { sampled: 10, lost: 50 })
  traces.record('refused', () => trace(9, { clientId: 'big', path: `/\0${'x'.repeat(9000)}` }))
  const [big] = await traces.list({ clientId: 'big' })
  assert.equal(big?.path.length, 2000)
  await traces.close()
})

test('the path keeps types and names, and neither ids nor search values', () => {
  assert.equal(redactPath('/Patient/123/_history/2'), '/Patient/…/_history/2')
  assert.equal(redactPath('/fhir/r4/Observation/_search'), '/fhir/r4/Observation/_search')
  assert.equal(redactPath('/Patient/MRN%2F123/$everything'), '/Patient/…/$everything')
  assert.equal(
    redactApiPath('/v2/accounts/DE89-3704/transfers/a%20b?to=ana&_count=1'),
    '/v2/accounts/…/transfers/…?to=…&_count=…',
  )
  assert.equal(
    redactPath(
      '/Patient?name=Ana&birthdate=ge1970&_count=10&_sort=-date&identifier%3Aof-type=x&flag',
    ),
    '/Patient?name=…&birthdate=…&_count=10&_sort=-date&identifier:of-type=…&flag',
  )
  assert.equal(
    redactPath('/Patient?_cursor=abc&_id=1&access_token=secret'),
    '/Patient?_cursor=…&_id=…&access_token=[redacted]',
  )
  const token = `eyJhbGciOiJFUzI1NiJ9.${'e'.repeat(80)}.${'s'.repeat(86)}`
  for (const target of [`/Patient/${token}`, `/Patient?_sort=${token}`, `/${token}?x=1`]) {
    assert.ok(!redactPath(target).includes('eee'), 'a token that stands in the path')
  }
  assert.equal(redactPath(`/Patient/_${'a '.repeat(2000)}`).length, 500)
  assert.equal(redactPath('/Patient?Alder=1&S-100'), '/Patient?…=…&…')
})
