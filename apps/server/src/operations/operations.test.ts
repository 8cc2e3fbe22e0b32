import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { createClientAddress } from '@scopegate/http'
import type { ConnectionStatus } from '@scopegate/oauth-model'
import { createHealth } from './health.ts'
import { limitFailures } from './limit-failures.ts'
import { createLogger } from './logger.ts'
import { createMetrics } from './metrics.ts'
import { observe } from './observe.ts'

function logTo(format: 'json' | 'text') {
  const stream = new PassThrough()
  let text = ''
  stream.on('data', (chunk) => {
    text += chunk
  })
  return { log: createLogger({ level: 'debug', format, stream }), text: () => text }
}

const metricsOf = () =>
  createMetrics({
    pool: { totalCount: 3, idleCount: 1, waitingCount: 2 },
    auditLost: () => 4,
    tracesDropped: () => ({ sampled: 5, lost: 6 }),
  })

test('a log line never holds a token or a secret, wherever it stands', () => {
  const { log, text } = logTo('json')
  const error = new Error('failed for Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.c2ln', {
    cause: { client_secret: 'hunter2' },
  })
  log.error({ error, headers: { authorization: 'Basic aHVudGVyMg==' } }, 'request failed')
  const line = JSON.parse(text())
  assert.equal(line.level, 'error')
  assert.equal(line.msg, 'request failed')
  assert.ok(!/hunter2|eyJ|aHVudGVyMg/.test(text()), text())
})

test('on a terminal a line is for people', () => {
  const { log, text } = logTo('text')
  log.warn({ correlationId: 'abc' }, 'something')
  assert.match(text(), /^\d\d:\d\d:\d\d warn {2}something {2}correlationId=abc\n$/)
})

test('a line for people stays one line, whatever a value holds', () => {
  const { log, text } = logTo('text')
  const forged = 'x\n00:00:00 info  all is well\u001b[2J\u009b'
  log.warn({ got: forged, error: new Error(forged) }, 'something')
  assert.equal(text().split('\n').length, 2)
  assert.doesNotMatch(text().trimEnd(), /\p{Cc}/u)
  assert.match(text(), /all is well/)
})

test('refusals are logged with correlation id and without search values', async () => {
  const { log, text } = logTo('json')
  const handler = observe(
    'fhir',
    () => new Response('', { status: 403, headers: { 'X-Request-Id': 'id-12345' } }),
    log,
    metricsOf(),
  )
  await handler(new Request('http://h/fhir/r4/Patient?name=Chalmers&_count=5'))
  const line = JSON.parse(text())
  assert.deepEqual(
    [line.level, line.correlationId, line.path, line.status],
    ['info', 'id-12345', '/fhir/r4/Patient?name=…&_count=5', 403],
  )
})

test('metrics count by route, never by path', async () => {
  const metrics = metricsOf()
  metrics.countRequest('fhir', 'GET', 200, 0.01)
  metrics.countRequest('fhir', 'BREW', 405, 0.01)
  const text = await (await metrics.handler(new Request('http://h/metrics'))).text()
  assert.match(text, /scopegate_http_requests_total\{route="fhir",method="GET",status="200"\} 1/)
  assert.match(text, /method="other",status="405"/)
  assert.match(text, /scopegate_database_connections\{state="waiting"\} 2/)
  assert.match(text, /scopegate_audit_lost_events 4/)
})

test('readiness follows the database and ends when the server goes down', async () => {
  let isUp = true
  const health = createHealth({
    query: async () => {
      if (!isUp) throw new Error('down')
    },
  })
  const status = async () => (await health.readyz(new Request('http://h/readyz'))).status
  assert.equal(await status(), 200)
  isUp = false
  assert.equal(await status(), 503)
  assert.equal((await health.healthz(new Request('http://h/healthz'))).status, 200)
  isUp = true
  health.drain()
  assert.equal(await status(), 503)
})

test('an address that fails too often gets 429 with Retry-After, and a good token still works', async () => {
  let counted = 0
  const limiter = {
    count: () => {
      counted += 1
    },
    retryAfterSeconds: () => (counted >= 2 ? 7 : undefined),
  }
  const failures = limitFailures(limiter, metricsOf(), createClientAddress())
  const handler = failures.guard((request) => {
    const isGood = request.headers.get('authorization') === 'Bearer good'
    return new Response('', { status: isGood ? 200 : 401 })
  })
  const request = (authorization?: string) =>
    new Request('http://h/fhir/r4/Patient', authorization ? { headers: { authorization } } : {})
  for (let n = 0; n < 5; n += 1) failures.count(request())
  failures.count(request('Bearer bad'))
  assert.equal((await handler(request('Bearer bad'))).status, 401)
  failures.count(request('Bearer bad'))
  const refused = await handler(request('Bearer bad'))
  assert.equal(refused.status, 429)
  assert.equal(refused.headers.get('retry-after'), '7')
  assert.equal((await handler(request('Bearer good'))).status, 200)
})

test('refused tokens beyond the limit do not put off its end', () => {
  let counted = 0
  const limiter = {
    count: () => {
      counted += 1
    },
    retryAfterSeconds: () => (counted >= 2 ? 7 : undefined),
  }
  const failures = limitFailures(limiter, metricsOf(), createClientAddress())
  const headers = { authorization: 'Bearer bad' }
  for (let i = 0; i < 5; i++) failures.count(new Request('http://h/fhir/r4/Patient', { headers }))
  assert.equal(counted, 2)
})

test('connections are measured by name, state and code, and monitoring outlives the broker', async () => {
  const metrics = metricsOf()
  const scrape = async () => (await metrics.handler(new Request('http://localhost/metrics'))).text()
  assert.doesNotMatch(await scrape(), /\nscopegate_connection_/)
  const lab: ConnectionStatus = {
    ...{ name: 'lab', state: 'due', expiresAt: 1_900_000_000, lastFetchedAt: 1_899_999_000 },
    ...{ warnings: [], hits: 41, fetches: 3, failures: 1, waiting: 2 },
  }
  let asked = 0
  metrics.showConnections(async () => {
    asked += 1
    return [lab]
  })
  metrics.countConnectionFailure('lab', { kind: 'rate', code: 'oauth_rate_limited' })
  const text = await scrape()
  assert.equal(asked, 1, 'one answer is one reading')
  for (const line of [
    'scopegate_connection_state{connection="lab",state="due"} 1',
    'scopegate_connection_state{connection="lab",state="open"} 0',
    'scopegate_connection_token_expiry_timestamp_seconds{connection="lab"} 1900000000',
    'scopegate_connection_hits{connection="lab"} 41',
    'scopegate_connection_fetches{connection="lab"} 3',
    'scopegate_connection_waiting{connection="lab"} 2',
    'scopegate_connection_failures_total{connection="lab",kind="rate",code="oauth_rate_limited"} 1',
  ]) {
    assert.ok(text.includes(`\n${line}\n`), line)
  }
  metrics.showConnections(async () => {
    throw new Error('the database is away')
  })
  assert.doesNotMatch(await scrape(), /scopegate_connection_hits\{/)
})
