import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ADMIN_ROUTES, createAdminApi, type ImportItem } from '@scopegate/admin-api'
import type { AdminEvent } from '@scopegate/audit'
import { failed } from '@scopegate/checks'
import { ADMIN_SCOPES, type ExplainRequest, type VerifiedToken } from '@scopegate/oauth-model'

const URL_BASE = 'http://127.0.0.1:8080/admin/api'

function setUp(scope: string) {
  const audited: AdminEvent[] = []
  const imported: ImportItem[] = []
  const asked: unknown[] = []
  const explained: ExplainRequest[] = []
  const stopping = new AbortController()
  const token = {
    issuer: 'http://127.0.0.1:8080',
    subject: 'cli',
    clientId: 'cli',
    audience: [URL_BASE],
    scope,
    issuedAt: 0,
    expiresAt: 60,
    fingerprint: 'f',
  } satisfies VerifiedToken
  const client = {
    clientId: 'lab-reader',
    name: 'Lab reader',
    source: 'stored',
    grants: ['client_credentials'],
    scopes: 'system/Observation.rs',
    authentication: 'secret',
    public: false,
    native: false,
    redirectUris: [],
    postLogoutRedirectUris: [],
    origins: [],
    dpopBound: false,
    requirePar: false,
    consent: 'ask',
    disabled: false,
    createdAt: 1,
  } as const
  const api = createAdminApi({
    url: URL_BASE,
    issuer: 'http://127.0.0.1:8080',
    verifier: {
      async verify(authorization, expected) {
        asked.push(expected)
        if (authorization === 'Bearer good') return { ok: true, token, checks: [] }
        return { ok: false, checks: [failed('token_missing')] }
      },
    },
    addresses: {
      issuer: 'http://127.0.0.1:8080',
      authorizationEndpoint: 'http://127.0.0.1:8080/oauth/authorize',
      tokenEndpoint: 'http://127.0.0.1:8080/oauth/token',
      deviceEndpoint: 'http://127.0.0.1:8080/oauth/device',
      fhir: 'http://127.0.0.1:8080/fhir/r4',
    },
    clients: {
      list: async () => [client],
      find: async (id) =>
        id === client.clientId
          ? client
          : id === 'backup-job'
            ? { ...client, clientId: id, scopes: 'admin/backup.write' }
            : undefined,
      add: async (added) => ({
        ok: true,
        client: { ...client, name: added.name, scopes: added.scopes },
        clientSecret: 's3cret',
      }),
      update: async (_id, { disabled }) => ({
        ok: true,
        client: { ...client, disabled: disabled ?? false },
      }),
      setDisabled: async (_id, disabled) => ({ ok: true, client: { ...client, disabled } }),
      rotateSecret: async () => ({ ok: true, clientSecret: 'n3w' }),
      remove: async (id) =>
        id === client.clientId ? { ok: true } : { ok: false, status: 404, why: `no client ${id}` },
    },
    signingKeys: {
      list: async () => [
        { kid: 'one', alg: 'ES256', state: 'retired', createdAt: 1, retiredAt: 2 },
        // A port that says too much: what is not known to be public must not come out.
        { kid: 'two', alg: 'ES256', state: 'current', createdAt: 2, ...{ d: 'private' } },
      ],
      rotate: async () => ({ kid: 'three', retired: 'two' }),
    },
    importer: {
      async importBatch(items) {
        imported.push(...items)
        return items.map(({ text }) => {
          const { resourceType, id } = JSON.parse(text)
          if (id === 'bad')
            return { type: resourceType, id, outcome: 'refused', why: 'status: required' }
          return { type: resourceType, id, outcome: id === 'old' ? 'unchanged' : 'in' }
        })
      },
    },
    traces: {
      list: async (query) => [query as never],
      async *follow(query, signal) {
        yield { correlationId: 'one', ...query } as never
        yield { correlationId: 'two', path: '/line\nbreak' } as never
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      },
    },
    explainer: {
      async explain(request) {
        explained.push(request)
        return {
          allowed: false,
          status: 401,
          checks: [failed('audience_mismatch', { expected: 'here', got: 'there' })],
          notes: [],
          fingerprint: 'fp',
        }
      },
      needs: async (request) => ({
        public: false,
        scopes: [{ scopes: ['system/Patient.r'], what: 'read' }],
        audiences: [request.path],
        issuers: [],
        settings: { audiences: 'a', trust: 't' },
        notes: [],
      }),
    },
    doctor: async () => ({ outcome: 'pass', findings: [] }),
    stopping: stopping.signal,
    audit: {
      recordAdmin: async (event) => void audited.push(event),
      verify: async () => ({ intact: true, entries: 3 }),
      list: async (query) => [{ atMs: 1, lostBefore: query.limit ?? 0 }],
    },
    status: async () => ({}) as never,
    backup: async () => ({ archive: new Blob(['archive']).stream(), rows: 7 }),
    nowMs: () => 1_000,
  })
  const call = (method: string, path: string, body?: unknown, token = 'good') =>
    api.fetch(
      new Request(`${URL_BASE}${path}`, {
        method,
        ...(token && { headers: { authorization: `Bearer ${token}` } }),
        ...(body !== undefined && {
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
      }),
    )
  return { call, audited, imported, asked, explained, stopping }
}

test('every route names a scope, and every write what its audit entry is called', () => {
  for (const route of ADMIN_ROUTES) {
    assert.ok(ADMIN_SCOPES.includes(route.scope), `${route.method} ${route.path} has no scope`)
    // Asking what somebody's token opens is no write, and yet is nobody's secret.
    const isAudited =
      /\.(?:write|token|sign|export)$/.test(route.scope) || route.action === 'explain'
    assert.equal(route.action !== undefined, isAudited, `${route.path}`)
  }
})

for (const { method, path, scope } of ADMIN_ROUTES) {
  const address = path
    .replace(/:(id|name|signIn|kind|holder)/g, 'lab-reader')
    .replace(':part', 'curl')
  test(`${method} ${path} is refused without a token, and without ${scope}`, async () => {
    const others = ADMIN_SCOPES.filter((other) => other !== scope).join(' ')
    const { call, asked } = setUp(`${others} system/*.cruds`)
    const anonymous = await call(method, address, undefined, '')
    assert.equal(anonymous.status, 401)
    assert.match(anonymous.headers.get('www-authenticate') ?? '', /^Bearer/)
    const poor = await call(method, address)
    assert.equal(poor.status, 403)
    assert.match(poor.headers.get('www-authenticate') ?? '', /insufficient_scope/)
    assert.ok((await poor.text()).includes(scope), 'the answer names the scope')
    assert.deepEqual(asked[0], { audiences: [URL_BASE], issuers: ['http://127.0.0.1:8080'] })
  })
}

test('an address that does not exist is confirmed to nobody without a token', async () => {
  const { call } = setUp('admin/status.read')
  assert.equal((await call('GET', '/nope', undefined, '')).status, 401)
  assert.equal((await call('GET', '/nope')).status, 404)
  const wrong = await call('PUT', '/clients')
  assert.equal(wrong.status, 405)
  assert.equal(wrong.headers.get('allow'), 'GET, POST')
})

test('adding a client shows its secret once, and the audit entry does not hold it', async () => {
  const { call, audited } = setUp('admin/clients.write')
  const answer = await call('POST', '/clients', { name: 'Lab', scopes: 'system/Observation.rs' })
  assert.equal(answer.status, 201)
  assert.equal(((await answer.json()) as { client_secret: string }).client_secret, 's3cret')
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.equal(audited.length, 1)
  assert.equal(audited[0]?.action, 'client.create')
  assert.equal(audited[0]?.target, 'client/lab-reader')
  assert.equal(audited[0]?.decision, 'permitted')
  assert.ok(!JSON.stringify(audited).includes('s3cret'))
})

test('a refused write is audited too', async () => {
  const { call, audited } = setUp('admin/clients.read')
  await call('DELETE', '/clients/lab-reader')
  assert.deepEqual(
    audited.map(({ action, decision, status }) => [action, decision, status]),
    [['client.remove', 'refused', 403]],
  )
})

test('a misspelt member is refused by name', async () => {
  const { call } = setUp('admin/clients.write')
  const answer = await call('POST', '/clients', { name: 'x', scope: 'system/Observation.rs' })
  assert.equal(answer.status, 400)
  assert.match(await answer.text(), /`scope`.*known are/s)
})

test('a body that is not JSON is refused without repeating it', async () => {
  const { call } = setUp('admin/clients.write')
  const answer = await call('POST', '/clients', '{"secret":"hunter2"')
  assert.equal(answer.status, 400)
  assert.ok(!(await answer.text()).includes('hunter2'))
})

test('an unknown client is 404, and nothing is audited as permitted', async () => {
  const { call, audited } = setUp('admin/clients.write')
  assert.equal((await call('DELETE', '/clients/nobody')).status, 404)
  assert.equal(audited[0]?.decision, 'failed')
})

test('an import goes on after a refused line and ends with a report per type', async () => {
  const { call, imported, audited } = setUp('admin/import.write')
  const lines = [
    '{"resourceType":"Patient","id":"1"}',
    '',
    '{"resourceType":"Observation","id":"bad"}',
    '{"resourceType":"Observation","id":"old","valueQuantity":{"value":1.00}}',
  ]
  const answer = await call('POST', '/import', `${lines.join('\n')}`)
  const events = (await answer.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(events[0], {
    kind: 'refused',
    line: 3,
    type: 'Observation',
    id: 'bad',
    why: 'status: required',
  })
  const { seconds, ...report } = events.at(-1)
  assert.equal(typeof seconds, 'number')
  assert.deepEqual(report, {
    kind: 'report',
    lines: 3,
    read: 3,
    in: 1,
    unchanged: 1,
    refused: 1,
    types: {
      Observation: { in: 0, unchanged: 1, refused: 1 },
      Patient: { in: 1, unchanged: 0, refused: 0 },
    },
  })
  assert.equal(imported[2]?.text, lines[3], 'the text arrives as it was written')
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(audited[0]?.action, 'import')
})

test('a Bundle is taken apart: texts unchanged, ids kept, references resolved', async () => {
  const { call, imported } = setUp('admin/import.write')
  const bundle = `{"resourceType":"Bundle","type":"transaction","entry":[
    {"fullUrl":"urn:uuid:p1","resource":{"resourceType":"Patient","birthDate":"1970-01-01"},"request":{"method":"POST","url":"Patient"}},
    {"fullUrl":"urn:uuid:o1","resource":{"resourceType":"Observation","id":"o1","subject":{"reference":"urn:uuid:p1"},"valueQuantity":{"value":1.50},"note":[{"text":"\\"reference\\": \\"urn:uuid:p1\\" }]"}]},"request":{"method":"PUT","url":"Observation/o1"}},
    {"resource":{"resourceType":"Encounter","id":"e","serviceProvider":{"reference":"Organization?identifier=x|1"}}},
    {"resource":{"resourceType":"Encounter"}},
    {"request":{"method":"DELETE","url":"Patient/9"}}
  ]}`.replaceAll('\n', ' ')
  const answer = await call('POST', '/import', bundle)
  const events = (await answer.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    imported.map(({ text }) => text),
    [
      '{"resourceType":"Patient","id":"p1","birthDate":"1970-01-01"}',
      '{"resourceType":"Observation","id":"o1","subject":{"reference":"Patient/p1"},"valueQuantity":{"value":1.50},"note":[{"text":"\\"reference\\": \\"urn:uuid:p1\\" }]"}]}',
    ],
  )
  const refusals = events.filter(({ kind }) => kind === 'refused')
  assert.deepEqual(
    refusals.map(({ line, entry }) => [line, entry]),
    [
      [1, 2],
      [1, 3],
      [1, 4],
    ],
  )
  assert.match(refusals[0].why, /conditional reference/)
  assert.match(refusals[1].why, /keeps ids/)
  assert.match(refusals[2].why, /DELETE/)
})

test('explaining needs either a token or claims', async () => {
  const { call, explained } = setUp('admin/explain.read')
  assert.equal((await call('POST', '/explain', { path: '/fhir/r4/Patient' })).status, 400)
  const both = { path: '/fhir/r4/Patient', claims: {}, token: 'x' }
  assert.equal((await call('POST', '/explain', both)).status, 400)
  assert.equal((await call('POST', '/explain', { path: '/x', claims: [] })).status, 400)
  assert.equal((await call('POST', '/explain', { path: 'x', claims: {} })).status, 400)
  const twice = { path: '/x', url: '/x', claims: {} }
  assert.equal((await call('POST', '/explain', twice)).status, 400)
  assert.equal(explained.length, 0)
  const answer = await call('POST', '/explain', { path: '/fhir/r4/Patient', claims: {} })
  assert.equal(answer.status, 200)
  assert.deepEqual(explained, [{ method: 'GET', path: '/fhir/r4/Patient', claims: {} }])
})

test('a token is diagnosed as people paste it, the fix stands out, and the asking is audited', async () => {
  const { call, audited, explained } = setUp('admin/explain.read')
  const url = 'https://gate.example/fhir/r4/Observation/MRN123?patient=Ana'
  const answer = await call('POST', '/diagnose/token', {
    token: 'Bearer aaa.bbb.ccc ',
    method: 'get',
    url,
  })
  const { fix } = (await answer.json()) as { fix: string }
  assert.match(fix, /audiences/)
  assert.deepEqual(explained, [{ method: 'GET', path: url, token: 'aaa.bbb.ccc' }])
  const [event] = audited
  assert.deepEqual(
    [event?.action, event?.decision, event?.target],
    ['explain', 'permitted', '/fhir/r4/Observation/…'],
  )
  assert.deepEqual(event?.detail, {
    ...{ method: 'GET', by: 'token', allowed: false, status: 401 },
    ...{ reason: 'audience_mismatch', fingerprint: 'fp' },
  })
  const text = JSON.stringify(audited)
  for (const secret of ['aaa.bbb', 'MRN123', 'Ana']) assert.ok(!text.includes(secret), secret)
})

test('what a request needs is told without a token', async () => {
  const { call } = setUp('admin/explain.read')
  const answer = await call('POST', '/explain/needs', { method: 'GET', url: '/fhir/r4/Patient/1' })
  const { scopes, audiences } = (await answer.json()) as Record<string, unknown>
  assert.deepEqual(scopes, [{ scopes: ['system/Patient.r'], what: 'read' }])
  assert.deepEqual(audiences, ['/fhir/r4/Patient/1'])
})

test('traces that come are sent as events, until the server stops', async () => {
  const { call, stopping } = setUp('admin/traces.read')
  assert.equal((await call('GET', '/traces?follow=maybe')).status, 400)
  const answer = await call('GET', '/traces?follow&outcome=refused')
  assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  let text = ''
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  while (!text.includes('two')) text += (await reader.read()).value
  const events = text.split('\n\n').filter((each) => each.startsWith('event: trace'))
  const traces = events.map((each) => JSON.parse(each.replace('event: trace\ndata: ', '')))
  assert.deepEqual(traces, [
    { correlationId: 'one', outcome: 'refused' },
    { correlationId: 'two', path: '/line\nbreak' },
  ])
  stopping.abort()
  assert.equal((await reader.read()).done, true)
})

test('a backup is the archive itself, and is audited', async () => {
  const { call, audited } = setUp('admin/backup.write')
  const answer = await call('POST', '/backup')
  assert.equal(await answer.text(), 'archive')
  assert.deepEqual(audited[0]?.detail, { rows: 7 })
})

test('traces are found by correlation id, client, outcome, code and path', async () => {
  const found = setUp('admin/traces.read').call('GET', '/traces?code=token_expired&path=/Patient')
  assert.deepEqual(await (await found).json(), {
    traces: [{ code: 'token_expired', path: '/Patient' }],
  })
  const { call } = setUp('admin/traces.read')
  const answer = await call('GET', '/traces?client_id=a&outcome=refused&limit=5')
  assert.deepEqual(await answer.json(), {
    traces: [{ clientId: 'a', outcome: 'refused', limit: 5 }],
  })
  assert.equal((await call('GET', '/traces?outcome=maybe')).status, 400)
  assert.equal((await call('GET', '/traces?clientid=a')).status, 400)
})

test('the description lists every route with its scope', async () => {
  const { call } = setUp('admin/status.read')
  const { paths } = (await (await call('GET', '/openapi.json')).json()) as {
    paths: Record<string, Record<string, { security: unknown }>>
  }
  for (const { method, path, scope } of ADMIN_ROUTES) {
    const operation = paths[path.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
    assert.deepEqual(operation?.security, [{ scopegate: [scope] }])
  }
})

test('an address that is not UTF-8 is an address that does not exist', async () => {
  const { call } = setUp('admin/clients.read')
  assert.equal((await call('GET', '/clients/%ff', undefined, '')).status, 401)
  assert.equal((await call('GET', '/clients/%ff')).status, 404)
})

test('nobody gives a client admin scopes that they do not have, or takes over one that has', async () => {
  const { call, audited } = setUp('admin/clients.write admin/traces.read')
  const add = (scopes: string) => call('POST', '/clients', { name: 'x', scopes })
  assert.equal((await add('admin/backup.write')).status, 403)
  assert.equal((await add('system/*.cruds admin/traces.read admin/import.write')).status, 403)
  assert.deepEqual(
    audited.map(({ action, decision, status }) => [action, decision, status]),
    Array.from({ length: 2 }, () => ['client.create', 'failed', 403]),
  )
  assert.equal((await add('system/*.cruds admin/traces.read')).status, 201)
  assert.equal((await call('POST', '/clients/backup-job/secret')).status, 403)
  assert.equal((await call('POST', '/clients/lab-reader/secret')).status, 200)
})

test('signing keys are listed without their private part, and a rotation is audited', async () => {
  const { call, audited } = setUp('admin/keys.read admin/keys.write')
  const listed = [
    { kid: 'one', alg: 'ES256', state: 'retired', created_at: 1, retired_at: 2 },
    { kid: 'two', alg: 'ES256', state: 'current', created_at: 2 },
  ]
  assert.deepEqual(await (await call('GET', '/signing-keys')).json(), { keys: listed })
  assert.deepEqual(await (await call('GET', '/keys')).json(), { keys: [], signing_keys: listed })
  const rotated = await call('POST', '/keys/rotate')
  assert.deepEqual(await rotated.json(), { kid: 'three', retired: 'two' })
  assert.deepEqual(
    audited.map(({ action, target, decision, detail }) => ({ action, target, decision, detail })),
    [
      {
        action: 'keys.rotate',
        target: 'key/three',
        decision: 'permitted',
        detail: { retired: 'two' },
      },
    ],
  )
})

test('a call for a key that is not carried out is audited with the key it was for', async () => {
  const told = async (scopes: string, ...sent: readonly [string, string, unknown?]) => {
    const { call, audited } = setUp(scopes)
    const { status } = await call(...sent)
    return [status, ...audited.map(({ action, target, decision }) => [action, target, decision])]
  }
  const partner1 = 'key/partner1'
  const broken = { name: 'partner1', key: 'no key at all' }
  assert.deepEqual(await told('admin/keys.write', 'POST', '/keys', broken), [
    400,
    ['key.create', partner1, 'failed'],
  ])
  assert.deepEqual(await told('admin/keys.write', 'POST', '/keys/partner1/next', broken), [
    400,
    ['key.add-next', partner1, 'failed'],
  ])
  assert.deepEqual(await told('admin/keys.read', 'POST', '/keys/partner1/export', {}), [
    403,
    ['key.export', partner1, 'refused'],
  ])
  const noName = { name: 'No Name: anything', key: 'no key at all' }
  assert.deepEqual(await told('admin/keys.write', 'POST', '/keys', noName), [
    400,
    ['key.create', undefined, 'failed'],
  ])
})

test('entries of the audit are asked for by name; what is no parameter is told', async () => {
  const { call } = setUp('admin/audit.read')
  const answer = await call('GET', '/audit/entries?action=key.&limit=7')
  assert.deepEqual(await answer.json(), { entries: [{ atMs: 1, lostBefore: 7 }] })
  const refused = await call('GET', '/audit/entries?acton=key.sign')
  assert.equal(refused.status, 400)
  assert.match(await refused.text(), /unknown parameter `acton`.*client_id/)
  assert.equal((await call('GET', '/audit/entries?limit=many')).status, 400)
})
