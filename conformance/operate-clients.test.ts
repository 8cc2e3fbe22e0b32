/** Clients, explanations, lab tokens and the configuration, as an operator meets them. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { before, test } from 'node:test'
import { freePort } from '@scopegate/lab'
import { call, createOperator, fetchToken, type RunningServer } from './operating/operator.ts'

const operator = createOperator()
let server: RunningServer

before(async () => {
  const port = await freePort()
  // Makes the key file that the configuration names.
  await operator.scopegate(
    ...['lab', 'token', '--public-keys', 'lab-keys.json', '--scope', 'patient/Patient.r'],
  )
  const config = operator.file(
    'lab.yaml',
    `server: { url: "http://127.0.0.1:${port}" }
issuers:
  - { issuer: http://lab.localhost, keysFile: ./lab-keys.json }
fhir:
  r4: { trust: [self, http://lab.localhost], userPolicy: all }
`,
  )
  server = await operator.up({ config, port, sample: true })
})

const bash = (line: string) => execFileSync('bash', ['-c', line], { encoding: 'utf8' })
const json = async (...args: string[]) => {
  const ran = await operator.scopegate(...args, '--json')
  assert.equal(ran.code, 0, ran.err)
  return JSON.parse(ran.out)
}
const explain = async (...args: string[]) => {
  const { code, out, err } = await operator.scopegate('explain', ...args)
  return { code, out: out + err }
}

test('doctor --open names a page and a token that opens it, and nothing else', async () => {
  const { page, token } = await json('doctor', '--open')
  assert.equal(page, `${server.url}/admin/doctor`)
  const report = await fetch(page, { method: 'POST', body: new URLSearchParams({ token }) })
  assert.equal(report.status, 200)
  assert.match(await report.text(), /<h2 id="findings">/)
  const headers = { authorization: `Bearer ${token}` }
  assert.equal((await fetch(`${server.url}/admin/api/clients`, { headers })).status, 403)
})

test('the line that client add prints works as pasted, whatever is in the scope', async () => {
  for (const [scopes, total] of [
    ['system/Observation.rs?category=laboratory', 116],
    [
      'system/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
      116,
    ],
    ['system/Observation.rs?category=vital-signs&status=final', undefined],
  ] as const) {
    const { code, out } = await operator.scopegate(
      'client',
      'add',
      "it's a $(reader)",
      '--scopes',
      scopes,
    )
    assert.equal(code, 0)
    const line = out.split('\n').find((text) => text.startsWith('curl')) ?? ''
    const answer = JSON.parse(bash(line))
    assert.equal(answer.resourceType, 'Bundle', JSON.stringify(answer))
    if (total !== undefined) assert.equal(answer.total, total)
    assert.match(out, /not shown again/)
  }
})

test('a rotated secret replaces the old one, a removed client gets no token', async () => {
  const scope = 'system/Patient.rs'
  const added = await json('client', 'add', 'turnover', '--scopes', scope)
  const id = added.client_id
  await fetchToken(server.url, { id, secret: added.client_secret }, scope)

  const shown = await json('client', 'show', id)
  assert.equal(shown.name, 'turnover')
  assert.equal(shown.scopes, scope)
  const listed = await json('client', 'list')
  assert.ok(listed.some((client: { client_id: string }) => client.client_id === id))
  assert.ok(!JSON.stringify([shown, listed]).includes(added.client_secret))

  // Both for a while, so that whoever uses it can change over; or the new one only.
  const { client_secret: next } = await json('client', 'rotate-secret', id)
  for (const secret of [added.client_secret, next]) {
    await fetchToken(server.url, { id, secret }, scope)
  }
  const { client_secret: secret } = await json('client', 'rotate-secret', id, '--overlap', '0')
  await fetchToken(server.url, { id, secret }, scope)
  await assert.rejects(fetchToken(server.url, { id, secret: next }, scope), /401.*invalid_client/)
  await assert.rejects(
    fetchToken(server.url, { id, secret: added.client_secret }, scope),
    /401.*invalid_client/,
  )
  await json('client', 'remove', id)
  await assert.rejects(fetchToken(server.url, { id, secret }, scope), /401.*invalid_client/)
  for (const command of ['show', 'rotate-secret', 'remove']) {
    const { code, err } = await operator.scopegate('client', command, id)
    assert.equal(code, 1)
    assert.match(err, /no client/)
  }
})

test('a client that could do nothing is not made, and the reason is told', async () => {
  for (const [scopes, reason] of [
    ['user/Patient.rs', /client credentials/],
    ['system/Patient.rs?no-such-parameter=x', /no-such-parameter/],
    ['system/Nonsense.rs', /Nonsense/],
    ['system/Patient.sr', /Patient\.sr/],
  ] as const) {
    const { code, err } = await operator.scopegate('client', 'add', 'x', '--scopes', scopes)
    assert.equal(code, 1, scopes)
    assert.match(err, reason)
  }
})

test('explain judges a token as the server does, confirms nothing hidden to the caller, and exits 2', async () => {
  const { clients } = JSON.parse(readFileSync(operator.path('data/sample-clients.json'), 'utf8'))
  const all = clients.find(({ clientId }: { clientId: string }) => clientId === 'sample-all')
  const lab = clients.find(({ clientId }: { clientId: string }) => clientId === 'sample-lab')
  const everything = await fetchToken(
    server.url,
    { id: all.clientId, secret: all.clientSecret },
    'system/*.cruds',
  )
  const token = await fetchToken(
    server.url,
    { id: lab.clientId, secret: lab.clientSecret },
    lab.scopes,
  )
  const vitals = await call(
    { ...server, token: everything },
    'GET',
    'Observation?category=vital-signs&_count=1',
  )
  const id = vitals.body.entry[0].resource.id

  const hidden = await call({ ...server, token }, 'GET', `Observation/${id}`)
  const absent = await call({ ...server, token }, 'GET', 'Observation/does-not-exist')
  assert.deepEqual([hidden.status, absent.status], [404, 404])
  const refused = await explain('--token', token, 'GET', `/fhir/r4/Observation/${id}`)
  assert.equal(refused.code, 2, refused.out)
  assert.match(refused.out, /category/)
  assert.ok(!refused.out.includes(token))
  assert.equal((await explain('--token', token, 'GET', '/fhir/r4/Observation')).code, 0)
  assert.equal((await explain('--token', token, 'DELETE', '/fhir/r4/Observation/x')).code, 2)

  const wrong = await json(
    'lab',
    'token',
    '--scope',
    'patient/Patient.r',
    '--audience',
    'https://other.example/fhir',
  )
  const audience = await explain('--token', wrong.access_token, 'GET', '/fhir/r4/Patient')
  assert.equal(audience.code, 2)
  assert.ok(
    audience.out.includes('https://other.example/fhir') && audience.out.includes(server.fhir),
  )

  const read = await call({ ...server, token }, 'GET', 'Patient')
  assert.equal(read.status, 403)
  const traced = await explain('--id', read.headers.get('x-request-id') ?? '')
  assert.equal(traced.code, 2, traced.out)

  const broken = await explain('--claims', '{nonsense', 'GET', '/fhir/r4/Patient')
  assert.equal(broken.code, 1)
  assert.match(broken.out, /fix: /)
})

test('without its server, explain says so and what to do', async () => {
  const port = await freePort()
  const away = `http://127.0.0.1:${port}`
  const known = JSON.parse(readFileSync(operator.path('config/scopegate/servers.json'), 'utf8'))
  const other = {
    ...known.servers[server.url],
    adminUrl: `${away}/admin/api`,
    tokenUrl: `${away}/oauth/token`,
  }
  operator.file(
    'config/scopegate/servers.json',
    JSON.stringify({ ...known, servers: { ...known.servers, [away]: other } }),
  )
  const { code, out } = await explain(
    '--claims',
    '{"scope":"system/*.rs"}',
    'GET',
    '/fhir/r4/Patient',
    '--url',
    away,
  )
  assert.equal(code, 1)
  assert.match(out, /no answer from .*\n.*nothing listens there[\s\S]*scopegate up/)
})

test('lab tokens with patient/ and user/ scopes work, with the configured key file only', async () => {
  const audience = ['--audience', server.fhir]
  const mine = await json(
    'lab',
    'token',
    ...audience,
    '--scope',
    'patient/Observation.rs',
    '--patient',
    'sample-1',
  )
  const token = await json(
    'lab',
    'token',
    ...audience,
    '--scope',
    'user/Patient.rs',
    '--fhir-user',
    'Practitioner/1',
  )
  const everyone = await call({ ...server, token: token.access_token }, 'GET', 'Patient?_count=1')
  assert.equal(everyone.status, 200)
  assert.equal(everyone.body.total ?? 8, 8)
  const patientId = everyone.body.entry[0].resource.id

  const other = await call(
    { ...server, token: mine.access_token },
    'GET',
    'Observation?_summary=count',
  )
  assert.deepEqual([other.status, other.body.total], [200, 0])
  const own = await json(
    'lab',
    'token',
    ...audience,
    '--scope',
    'patient/Observation.rs',
    '--patient',
    patientId,
  )
  const found = await call(
    { ...server, token: own.access_token },
    'GET',
    'Observation?_summary=count',
  )
  assert.ok(found.body.total > 0 && found.body.total < 231)

  const stranger = await json(
    'lab',
    'token',
    ...audience,
    '--key',
    'stranger.json',
    '--scope',
    'patient/Observation.rs',
    '--patient',
    patientId,
  )
  assert.equal(
    (await call({ ...server, token: stranger.access_token }, 'GET', 'Observation')).status,
    401,
  )
  const late = await json(
    'lab',
    'token',
    ...audience,
    '--expires-in',
    '-100',
    '--scope',
    'patient/Observation.rs',
    '--patient',
    patientId,
  )
  assert.equal(
    (await call({ ...server, token: late.access_token }, 'GET', 'Observation')).status,
    401,
  )
  assert.equal(statSync(operator.path('lab-private-keys.json')).mode & 0o777, 0o600)
})

test('config check reports every problem at once, each with file and line', async () => {
  const file = operator.file(
    'broken.yaml',
    `server: { ulr: "http://127.0.0.1:1", drainSeconds: soon }
storage:
  url: postgres://user:hunter2@db/x
issuers:
  - { issuer: not-a-url }
fhir:
  r4: { trust: [somebody], compartment: gaurded }
clients:
  - { id: "a b", scopes: "system/*.rs", secret: "hunter2" }
  - { id: c, scopes: "system/*.rs" }
limits: { bodyBytes: 5MB }
`,
  )
  const { code, err } = await operator.scopegate('config', 'check', '--config', file)
  assert.equal(code, 1)
  for (const line of [1, 1, 3, 5, 7, 9, 9, 10, 11]) {
    assert.match(err, new RegExp(`broken\\.yaml:${line} `), `line ${line}`)
  }
  assert.ok((err.match(/broken\.yaml:\d+/g)?.length ?? 0) >= 9, err)
  assert.ok(!err.includes('hunter2'), 'a secret that stands in the file is not repeated')
  const started = await operator.scopegate('up', '--config', file, '--data', 'never')
  assert.equal(started.code, 1)
  assert.match(started.err, /broken\.yaml:11 /)
})
