import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ConnectionSignInRefused,
  type Connections,
  type ConnectionView,
  createAdminApi,
} from '@scopegate/admin-api'
import type { AdminEvent } from '@scopegate/audit'
import { type ConnectionToken, TokenUnavailable, type TokenWish } from '@scopegate/oauth-model'

const URL_BASE = 'http://127.0.0.1:8080/admin/api'
const NOW = 1_900_000_000
const SECRET_TOKEN = 'eyJhbGciOiJub25lIn0.the-token-itself.signature'

const view: ConnectionView = {
  name: 'lab',
  preset: 'keycloak',
  grant: 'client_credentials',
  clientId: 'lab-reader',
  authentication: 'client_secret_basic',
  issuer: 'https://idp.example/realms/lab',
  scopes: ['system/Observation.rs'],
  callers: ['app-lab'],
  certificateExpiresAt: NOW + 86_400,
  canSignIn: false,
  status: {
    name: 'lab',
    state: 'open',
    nextAttemptAt: NOW + 30,
    warnings: [],
    hits: 7,
    fetches: 2,
    failures: 1,
    waiting: 0,
    lastFailure: {
      at: NOW - 5,
      kind: 'configuration',
      code: 'keycloak_client_credentials',
      cause: 'Keycloak does not know it',
      fix: 'copy the secret',
      provider: { status: 401, error: 'unauthorized_client' },
      wasSent: true,
    },
  },
}

const token: ConnectionToken = {
  accessToken: SECRET_TOKEN,
  type: 'Bearer',
  expiresAt: NOW + 299,
  scopes: ['system/Observation.rs'],
  fingerprint: 'fingerprint-of-it',
  warnings: ['unexpected_id_token_ignored'],
  headers: async () => ({}),
}

function setUp(
  options: {
    scope?: string
    clientId?: string
    view?: Partial<ConnectionView>
    getToken?: (wish: TokenWish) => ConnectionToken
  } = {},
) {
  const { scope = 'admin/connections.token', clientId = 'cli', getToken = () => token } = options
  const audited: AdminEvent[] = []
  const wishes: TokenWish[] = []
  const retried: string[] = []
  const examined: (string | undefined)[] = []
  const shown = { ...view, ...options.view }
  const connections: Connections = {
    list: async () => [shown],
    find: async (name) => (name === shown.name ? shown : undefined),
    callersOf: (name) => (name === shown.name ? shown.callers : undefined),
    async getToken(_name, { signal: _, ...wish }) {
      wishes.push(wish)
      return getToken(wish)
    },
    retry: async (name) => void retried.push(name),
    async examine(connection, resourceUrl) {
      examined.push(resourceUrl)
      return { connection, outcome: 'fail', kind: 'clock', findings: [] }
    },
    signIns: {
      async begin(_connection, how) {
        if (how.kind === 'device') {
          return {
            kind: 'device',
            id: 'one',
            userCode: 'WDJB-MJHT',
            verificationUri: 'https://idp.example/device',
            intervalSeconds: 5,
            expiresInSeconds: 600,
          }
        }
        if (!how.redirectUri.startsWith('http://127.0.0.1')) {
          throw new ConnectionSignInRefused('redirect_uri', 'not on loopback', 'use 127.0.0.1')
        }
        const authorizationUrl = 'https://idp.example/authorize?state=one'
        return { kind: 'code', id: 'one', authorizationUrl, expiresInSeconds: 600 }
      },
      async complete(_connection, _id, parameters) {
        if (parameters.code === undefined) return { outcome: 'pending', intervalSeconds: 5 }
        return { outcome: 'done', subject: 'ada', scopes: ['openid'] }
      },
    },
  }
  const api = createAdminApi({
    url: URL_BASE,
    issuer: 'http://127.0.0.1:8080',
    verifier: {
      verify: async () => ({
        ok: true,
        checks: [],
        token: {
          issuer: 'http://127.0.0.1:8080',
          subject: clientId,
          clientId,
          audience: [URL_BASE],
          scope,
          issuedAt: 0,
          expiresAt: 60,
          fingerprint: 'f',
        },
      }),
    },
    audit: { recordAdmin: async (event: AdminEvent) => void audited.push(event) },
    connections,
    nowMs: () => NOW * 1000,
  } as unknown as Parameters<typeof createAdminApi>[0])
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await api.fetch(
      new Request(`${URL_BASE}${path}`, {
        method,
        headers: { authorization: 'Bearer good' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    )
    return { status: response.status, headers: response.headers, body: await response.json() }
  }
  return { call, audited, wishes, retried, examined }
}

test('a connection shows its state, its last failure with what helps, and its figures', async () => {
  const { call } = setUp({ scope: 'admin/connections.read' })
  const { body } = await call('GET', '/connections')
  const [lab] = (body as { connections: Record<string, unknown>[] }).connections
  assert.equal(lab?.state, 'open')
  assert.equal(lab?.nextAttemptAt, NOW + 30)
  assert.equal(lab?.certificateExpiresAt, NOW + 86_400)
  assert.deepEqual([lab?.hits, lab?.fetches, lab?.failures, lab?.waiting], [7, 2, 1, 0])
  assert.deepEqual(lab?.lastFailure, {
    at: NOW - 5,
    kind: 'configuration',
    code: 'keycloak_client_credentials',
    cause: 'Keycloak does not know it',
    fix: 'copy the secret',
    wasSent: true,
    provider: { status: 401, error: 'unauthorized_client' },
  })
  assert.deepEqual((await call('GET', '/connections/lab')).body, lab)
  const missing = await call('GET', '/connections/nope')
  assert.equal(missing.status, 404)
  assert.match((missing.body as { fix: string }).fix, /connection list/)
})

test('a token is handed out, and the audit entry knows it by fingerprint only', async () => {
  const { call, audited, wishes } = setUp()
  const { status, headers, body } = await call(
    'GET',
    '/connections/lab/token?minValidSeconds=60&scope=a+b&audience=https://api.example&subject=ada',
  )
  assert.equal(status, 200)
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.deepEqual(body, {
    access_token: SECRET_TOKEN,
    token_type: 'Bearer',
    expires_at: NOW + 299,
    expires_in: 299,
    scope: 'system/Observation.rs',
    warnings: ['unexpected_id_token_ignored'],
  })
  assert.deepEqual(wishes, [
    { minValidSeconds: 60, scopes: ['a', 'b'], audience: 'https://api.example', subject: 'ada' },
  ])
  assert.equal(audited.length, 1)
  assert.equal(audited[0]?.action, 'connection.token')
  assert.equal(audited[0]?.target, 'connection/lab')
  assert.equal(audited[0]?.clientId, 'cli')
  assert.deepEqual(audited[0]?.detail, { fingerprint: 'fingerprint-of-it', expiresAt: NOW + 299 })
  assert.ok(!JSON.stringify(audited).includes(SECRET_TOKEN))
})

test('a client in `callers` needs no scope for its connection, and gets no other', async () => {
  const own = setUp({ scope: 'admin/connections.own', clientId: 'app-lab' })
  assert.equal((await own.call('GET', '/connections/lab/token')).status, 200)
  assert.equal((await own.call('GET', '/connections/lab')).status, 403)
  assert.equal((await own.call('GET', '/connections/nope/token')).status, 403)
  const other = setUp({ scope: 'admin/connections.own admin/connections.read', clientId: 'b' })
  assert.equal((await other.call('GET', '/connections/lab/token')).status, 403)
  assert.deepEqual(other.wishes, [], 'no token was got')
  assert.equal(other.audited[0]?.decision, 'refused')
})

test('a caller chooses no subject and no audience: those are for operators', async () => {
  const own = setUp({ scope: 'admin/connections.own', clientId: 'app-lab' })
  for (const query of ['subject=chief@example.org', 'audience=https://other.example']) {
    const { status, body } = await own.call('GET', `/connections/lab/token?${query}`)
    assert.equal(status, 403, query)
    assert.match((body as { fix: string }).fix, /admin\/connections\.token/)
  }
  assert.deepEqual(own.wishes, [], 'no token was got')
})

test('a caller has fewer scopes if it likes, and none that is not configured', async () => {
  const caller = { scope: 'admin/connections.own', clientId: 'app-lab' }
  const own = setUp(caller)
  const fewer = '/connections/lab/token?scope=system/Observation.rs'
  assert.equal((await own.call('GET', fewer)).status, 200)
  assert.equal((await own.call('GET', `${fewer}+system/Patient.rs`)).status, 403)
  // The provider decides what a connection without scopes gets; asking for one would be asking for more.
  const unscoped = setUp({ ...caller, view: { scopes: [] } })
  assert.equal((await unscoped.call('GET', fewer)).status, 403)
  assert.deepEqual(unscoped.wishes, [], 'no token was got')
  assert.equal((await unscoped.call('GET', '/connections/lab/token')).status, 200)
})

test('a bound token is not handed out: the sidecar is named', async () => {
  const { call, audited } = setUp({ getToken: () => ({ ...token, type: 'DPoP' }) })
  const { status, body } = await call('GET', '/connections/lab/token')
  assert.equal(status, 409)
  assert.match((body as { fix: string }).fix, /\/out\/lab\//)
  assert.ok(!JSON.stringify(body).includes(SECRET_TOKEN))
  assert.equal(audited[0]?.decision, 'failed')
})

test('no token: what passes by itself is 503 with Retry-After, the rest 502, both explained', async () => {
  const failing = (kind: 'temporary' | 'administration') =>
    setUp({
      getToken() {
        throw new TokenUnavailable(
          'lab',
          {
            kind,
            code: 'oauth_server_error',
            cause: 'the provider is away',
            fix: 'wait',
            wasSent: true,
            ...(kind === 'temporary' && { retryAfterSeconds: 7 }),
          },
          NOW + 7,
        )
      },
    })
  const away = await failing('temporary').call('GET', '/connections/lab/token')
  assert.equal(away.status, 503)
  assert.equal(away.headers.get('retry-after'), '7')
  const { failure, nextAttemptAt, fix, detail } = away.body as Record<string, unknown>
  assert.deepEqual([nextAttemptAt, fix], [NOW + 7, 'wait'])
  assert.match(String(detail), /no token for connection `lab`: the provider is away/)
  assert.equal((failure as { code: string }).code, 'oauth_server_error')
  const refused = await failing('administration').call('GET', '/connections/lab/token')
  assert.equal(refused.status, 502)
})

test('parameters that mean nothing are refused before a token is got', async () => {
  const { call, wishes } = setUp()
  for (const query of [
    'minValid=5',
    'minValidSeconds=-1',
    'minValidSeconds=1e3',
    'scope=a&scope=b',
  ]) {
    assert.equal((await call('GET', `/connections/lab/token?${query}`)).status, 400, query)
  }
  assert.deepEqual(wishes, [])
})

test('retry asks again, and is audited', async () => {
  const { call, retried, audited } = setUp({ scope: 'admin/connections.write' })
  assert.equal((await call('POST', '/connections/lab/retry')).status, 200)
  assert.deepEqual(retried, ['lab'])
  assert.equal(audited[0]?.action, 'connection.retry')
})

test('a user signs in for a connection: by code on loopback, or by device', async () => {
  const { call } = setUp({ scope: 'admin/connections.write', view: { canSignIn: true } })
  const redirect_uri = 'http://127.0.0.1:52011/callback'
  const begun = await call('POST', '/connections/lab/authorize', { redirect_uri })
  assert.equal(begun.status, 201)
  assert.deepEqual(begun.body, {
    sign_in: 'one',
    authorization_url: 'https://idp.example/authorize?state=one',
    expires_in: 600,
  })
  const device = await call('POST', '/connections/lab/authorize', { device: true })
  assert.equal((device.body as { user_code: string }).user_code, 'WDJB-MJHT')
  const pending = await call('POST', '/connections/lab/authorize/one', {})
  assert.deepEqual([pending.status, pending.body], [202, { status: 'pending', interval: 5 }])
  const done = await call('POST', '/connections/lab/authorize/one', { code: 'c', state: 'one' })
  assert.deepEqual(done.body, { status: 'done', subject: 'ada', scope: 'openid' })
})

test('a sign-in that makes no sense is refused with what to do', async () => {
  const machine = setUp({ scope: 'admin/connections.write' })
  const none = await machine.call('POST', '/connections/lab/authorize', { device: true })
  assert.equal(none.status, 409)
  assert.match((none.body as { fix: string }).fix, /authorization_code/)
  const { call } = setUp({ scope: 'admin/connections.write', view: { canSignIn: true } })
  const far = await call('POST', '/connections/lab/authorize', { redirect_uri: 'https://evil' })
  assert.equal(far.status, 409)
  assert.equal((far.body as { code: string }).code, 'redirect_uri')
  assert.equal((await call('POST', '/connections/lab/authorize', { redirect: 'x' })).status, 400)
})

test('the doctor sends a token below the upstream only, whatever the address looks like', async () => {
  const upstream = 'https://fhir.lab.example/r4/'
  const { call, examined, audited } = setUp({
    scope: 'admin/connections.write',
    view: { upstream },
  })
  const ask = (url?: string) =>
    call('POST', '/connections/lab/doctor', url === undefined ? {} : { url })
  for (const url of [undefined, `${upstream}Patient/1?_count=1`, 'https://fhir.lab.example/r4']) {
    assert.equal((await ask(url)).status, 200, url)
  }
  assert.equal(examined.length, 3)
  assert.deepEqual(audited[0]?.detail, { outcome: 'fail', kind: 'clock' })
  for (const url of [
    'https://evil.example/r4/Patient/1',
    'http://fhir.lab.example/r4/Patient/1',
    'https://fhir.lab.example:8443/r4/Patient/1',
    'https://fhir.lab.example@evil.example/r4/',
    'https://user:pass@fhir.lab.example/r4/',
    'https://fhir.lab.example/r4x/Patient',
    'https://fhir.lab.example/r4/../admin',
    'https://fhir.lab.example/r4/%2e%2e/admin',
    'https://fhir.lab.example/r4/..%2fadmin',
    'https://fhir.lab.example/r4/..;/admin',
    'https://fhir.lab.example/r4/%252e%252e/admin',
    'https://fhir.lab.example/r4//evil.example/',
    'https://fhir.lab.example/r4\\..\\admin',
    '//evil.example/r4',
    'file:///etc/passwd',
  ]) {
    assert.equal((await ask(url)).status, 400, url)
  }
  assert.equal(examined.length, 3, 'nothing was sent')
  const without = setUp({ scope: 'admin/connections.write' })
  const refused = await without.call('POST', '/connections/lab/doctor', { url: upstream })
  assert.equal(refused.status, 400)
})
