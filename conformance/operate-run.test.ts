/** A running server: what it reports, what it keeps to itself, its limits, and how it ends. */
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { filesContaining, textsIn } from './operating/find-text.ts'
import { call, createOperator, fetchToken, type RunningServer } from './operating/operator.ts'
import { parsePrometheusText } from './operating/prometheus-text.ts'

const operator = createOperator()
const env = { LOADER_SECRET: 'run-loader-secret-of-good-length-01' }
const loader = { id: 'loader', secret: env.LOADER_SECRET }
const CLIENTS = 'clients:\n  - { id: loader, secret: env:LOADER_SECRET, scopes: system/*.cruds }\n'
// Everything is logged, so that whatever can leak does.
const config = operator.file('loud.yaml', `log: { level: trace }\n${CLIENTS}`)
let server: RunningServer
let token: string

/** Everything that must not be found anywhere, by what it is. */
const secrets = new Map<string, string>([['the secret of a configured client', loader.secret]])
/** What a person is called; it must be in no log and in no trace. */
const SURNAME = 'Quixquillian'

before(async () => {
  server = await operator.up({ config, env, sample: true })
  token = await fetchToken(server.url, loader, 'system/*.cruds')
  secrets.set('an access token', token)
})

/** A request whose second half is sent when `go` resolves. @returns the raw answer */
function slowly(url: string, token: string, body: string, go: Promise<unknown>): Promise<string> {
  const { hostname, port, host } = new URL(url)
  return new Promise((done, failed) => {
    const socket = connect(Number(port), hostname)
    let answer = ''
    socket.on('data', (data) => {
      answer += data
    })
    socket.once('error', failed)
    socket.once('close', () => done(answer))
    const half = body.length >> 1
    socket.write(
      `POST /fhir/r4/Patient HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n` +
        `Content-Type: application/fhir+json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, half)}`,
    )
    void go.then(() => socket.write(body.slice(half)))
  })
}

test('health, readiness and metrics are what their readers expect', async () => {
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200)
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200)
  const answer = await fetch(`${server.url}/metrics`)
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  const samples = parsePrometheusText(await answer.text())
  const names = new Set(samples.map(({ name }) => name))
  for (const name of [
    'scopegate_http_requests_total',
    'scopegate_http_request_duration_seconds_bucket',
    'scopegate_authentication_failures_total',
    'scopegate_database_connections',
    'scopegate_audit_lost_events',
    'process_resident_memory_bytes',
  ]) {
    assert.ok(names.has(name), name)
  }
  const oauth = samples.find(
    ({ name, labels }) => name === 'scopegate_http_requests_total' && labels.route === 'oauth',
  )
  assert.equal(oauth?.labels.status, '200')
  assert.ok((oauth?.value ?? 0) >= 1)
  assert.ok(!samples.some(({ labels }) => /loader|Patient/.test(JSON.stringify(labels))))
})

test('no secret, token or name of a person reaches a log, a trace or a file that is not meant to hold it', async () => {
  const { clients } = JSON.parse(readFileSync(operator.path('data/sample-clients.json'), 'utf8'))
  for (const { clientId, clientSecret, scopes } of clients) {
    secrets.set(`the secret of ${clientId}`, clientSecret)
    secrets.set(
      `a token of ${clientId}`,
      await fetchToken(server.url, { id: clientId, secret: clientSecret }, scopes),
    )
  }
  const run = async (...args: string[]) =>
    JSON.parse((await operator.scopegate(...args, '--json')).out)
  const added = await run('client', 'add', 'leaky', '--scopes', 'system/Patient.rs')
  const rotated = await run('client', 'rotate-secret', added.client_id)
  secrets.set('the secret of an added client', added.client_secret)
  secrets.set('a rotated secret', rotated.client_secret)
  const { servers } = JSON.parse(
    readFileSync(operator.path('config/scopegate/servers.json'), 'utf8'),
  )
  secrets.set('the credential of the command line', servers[server.url].clientSecret)
  const basic = Buffer.from(`${loader.id}:${loader.secret}`).toString('base64')
  secrets.set('an Authorization header', basic)
  const foreign = await run(
    'lab',
    'token',
    '--scope',
    'patient/*.rs',
    '--patient',
    'p1',
    '--audience',
    server.fhir,
  )
  secrets.set('a token of an unknown issuer', foreign.access_token)
  await run('explain', '--token', foreign.access_token, 'GET', '/fhir/r4/Patient')
  await run('explain', '--token', token, 'GET', `/fhir/r4/Patient?family=${SURNAME}`)

  const target = { fhir: server.fhir, token }
  await call(target, 'POST', 'Patient', { resourceType: 'Patient', name: [{ family: SURNAME }] })
  await call(target, 'POST', 'Patient', {
    resourceType: 'Patient',
    [SURNAME]: 1,
    birthDate: SURNAME,
  })
  await call(target, 'GET', `Patient?family=${SURNAME}`)
  await call({ ...target, token: foreign.access_token }, 'GET', `Patient?name=${SURNAME}`)
  // Where people put tokens and secrets that do not belong there.
  await call({ fhir: server.fhir }, 'GET', `Patient?access_token=${token}`)
  await call(target, 'GET', `Patient?access_token=${token}`)
  await call(target, 'GET', `Patient/${token.slice(0, 60)}/${token}`)
  await call(target, 'GET', `${token}?x=${loader.secret}`)
  await call({ fhir: server.url }, 'GET', `admin/api/clients?secret=${loader.secret}`)
  for (const authorization of [`Bearer ${token} x`, `bearer: ${token}`, `Basic ${basic}`, token]) {
    await fetch(`${server.fhir}/Patient`, { headers: { authorization } })
  }
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`${server.url}${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    })
  const form = (members: Record<string, string>) => String(new URLSearchParams(members))
  await post(
    `/oauth/token?client_secret=${loader.secret}`,
    form({ grant_type: 'client_credentials' }),
  )
  await post(
    '/oauth/token',
    form({ grant_type: loader.secret, client_id: token, client_secret: loader.secret }),
  )
  await post(
    '/oauth/token',
    form({
      grant_type: 'client_credentials',
      scope: token,
      client_id: 'loader',
      client_secret: loader.secret,
    }),
  )
  await post('/oauth/token', `client_secret=${loader.secret}&client_secret=${loader.secret}`)
  await post(
    '/oauth/token',
    form({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: foreign.access_token,
    }),
  )
  await post('/oauth/token', `{"client_secret":"${loader.secret}"}`, {
    'content-type': 'application/json',
  })
  await post(`/oauth/${token}`, '')
  await sleep(500)

  const logged = server.stdout() + server.stderr().replace(/^curl.*$/m, '')
  assert.deepEqual(textsIn(logged, secrets), [], 'in the log')
  assert.ok(!logged.includes(SURNAME), 'a name in the log')
  let requests = 0
  for (const line of server.stdout().trim().split('\n')) {
    const entry = JSON.parse(line)
    assert.ok(entry.level && !Number.isNaN(Date.parse(entry.time)) && entry.msg, line)
    if (entry.msg !== 'request') continue
    requests++
    assert.match(entry.correlationId, /^[A-Za-z0-9._~:-]{8,64}$/, line)
  }
  assert.ok(requests > 10)

  const backup = await operator.scopegate('backup', 'all.backup', '--data', 'data')
  assert.equal(backup.code, 0, backup.err)
  assert.equal(statSync(operator.path('all.backup')).mode & 0o777, 0o600)
  const dump = gunzipSync(readFileSync(operator.path('all.backup')))
  assert.ok(dump.includes(SURNAME), 'the dump can be searched')
  assert.deepEqual(textsIn(dump, secrets), [], 'in the database')

  // The sample clients' secrets are kept for their reader; everything else in the folder is not.
  const holders = filesContaining(server.dir, secrets)
  assert.deepEqual([...holders.keys()], ['sample-clients.json'], JSON.stringify([...holders]))
  for (const name of [
    'data/sample-clients.json',
    'data/master.key',
    'config/scopegate/servers.json',
  ]) {
    assert.equal(statSync(operator.path(name)).mode & 0o777, 0o600, name)
  }
  assert.equal(statSync(server.dir).mode & 0o077, 0, 'the folder is closed to others')

  const key = readFileSync(operator.path('data/master.key'), 'utf8')
    .trim()
    .split(/[\s:,]+/)
    .at(-1) as string
  assert.ok(key.length >= 32)
  assert.ok(!logged.includes(key) && !dump.includes(key), 'the master key')
})

test('SIGTERM lets a slow request finish and acknowledges it, and takes nothing new', async () => {
  const { promise: go, resolve: proceed } = Promise.withResolvers<void>()
  const answer = slowly(server.url, token, '{"resourceType":"Patient","active":true}', go)
  await sleep(300)
  const startedMs = performance.now()
  const stopped = server.stop()
  await sleep(700)
  await assert.rejects(fetch(`${server.url}/healthz`), 'nothing new is taken')
  proceed()
  const text = await answer
  assert.match(text, /^HTTP\/1\.1 201 /)
  assert.match(text, /connection: close/i)
  assert.equal(await stopped, 0)
  assert.ok(performance.now() - startedMs < 10_000)
  assert.match(server.stdout(), /"msg":"stopped"/)

  const id = /\/Patient\/([^/]+)\/_history/.exec(text)?.[1]
  server = await operator.up({ config, env, port: Number(new URL(server.url).port) })
  assert.equal((await call({ fhir: server.fhir, token }, 'GET', `Patient/${id}`)).status, 200)
  assert.equal(await server.stop(), 0)
})

test('a request that never ends is cut off after server.drainSeconds, and the end is clean', async () => {
  const short = operator.file('short.yaml', `server: { drainSeconds: 1 }\n${CLIENTS}`)
  server = await operator.up({ config: short, env })
  const fresh = await fetchToken(server.url, loader, 'system/*.cruds')
  const answer = slowly(server.url, fresh, '{"resourceType":"Patient"}', new Promise(() => {}))
  await sleep(300)
  const startedMs = performance.now()
  assert.equal(await server.stop(), 0)
  assert.ok(performance.now() - startedMs < 6000)
  assert.equal(await answer.catch(() => ''), '')
})

test('guessing secrets and tokens is answered 429 with Retry-After; who has a good one goes on', async () => {
  const limits = 'limits: { authenticationFailuresPerMinute: 5, tokenRequestsPerMinute: 20 }\n'
  server = await operator.up({ config: operator.file('limits.yaml', limits + CLIENTS), env })
  const guess = (url: string, authorization: string) =>
    fetch(url, {
      method: url.endsWith('token') ? 'POST' : 'GET',
      headers: { authorization },
      ...(url.endsWith('token')
        ? { body: new URLSearchParams({ grant_type: 'client_credentials' }) }
        : {}),
    })
  for (const [url, authorization] of [
    [`${server.fhir}/Patient`, 'Bearer not.a.token'],
    [`${server.url}/oauth/token`, `Basic ${Buffer.from('loader:wrong').toString('base64')}`],
  ] as const) {
    const statuses: number[] = []
    let last: Response | undefined
    for (let n = 0; n < 10; n++) {
      last = await guess(url, authorization)
      statuses.push(last.status)
    }
    assert.equal(statuses[0], 401)
    assert.equal(statuses.at(-1), 429, statuses.join())
    assert.ok(Number(last?.headers.get('retry-after')) > 0)
  }
  const good = await fetchToken(server.url, loader, 'system/*.cruds')
  assert.equal((await call({ fhir: server.fhir, token: good }, 'GET', 'Patient')).status, 200)

  const statuses = new Set<number>()
  for (let n = 0; n < 25; n++) {
    const basic = Buffer.from(`${loader.id}:${loader.secret}`).toString('base64')
    statuses.add((await guess(`${server.url}/oauth/token`, `Basic ${basic}`)).status)
  }
  assert.ok(statuses.has(429), [...statuses].join())
  assert.equal(await server.stop(), 0)
})
