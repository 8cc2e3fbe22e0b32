import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { RegistrationEvent } from '@scopegate/authorization-server'
import type { NewRegistrationToken } from '@scopegate/oauth-model'
import { testStorage } from '@scopegate/storage/testing'
import { askToken } from '../testing/ask-token.ts'
import { type StartedServer, startServer } from '../testing/start-server.ts'

const storage = await testStorage()
const events: RegistrationEvent[] = []
let at: StartedServer
before(async () => {
  at = await startServer(storage, {
    onRegistration: (event) => void events.push(event),
    limits: { failuresPerMinute: 10_000 },
  })
})
after(() => at.close())

const APP = {
  client_name: 'My app',
  redirect_uris: ['https://app.example/cb'],
  grant_types: ['authorization_code', 'refresh_token'],
  scope: 'openid launch/patient patient/Observation.rs offline_access',
}
const POLICY: NewRegistrationToken = {
  name: 'partners',
  scopes: 'openid fhirUser launch/patient patient/*.rs offline_access system/Observation.rs',
  grants: ['authorization_code', 'refresh_token', 'client_credentials'],
  redirectHosts: ['app.example', 'localhost'],
}

async function makeToken(more: Partial<NewRegistrationToken> = {}): Promise<string> {
  const made = await at.server.registrationTokens.create({ ...POLICY, ...more })
  assert.ok(made.ok, JSON.stringify(made))
  return made.token
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a body is whatever came
  readonly body: any
}

async function call(
  method: string,
  url: string,
  token?: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  }
}

const register = (token: string | undefined, body: unknown) =>
  call('POST', `${at.issuer}/oauth/register`, token, body)

async function registered(body: unknown = APP, more: Partial<NewRegistrationToken> = {}) {
  const answer = await register(await makeToken(more), body)
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  const { registration_client_uri: url, registration_access_token: token } = answer.body
  return { url: String(url), token: String(token), id: String(answer.body.client_id), answer }
}

describe('registration with an initial access token', () => {
  test('makes a client and tells what is registered, its secret once', async () => {
    const { answer, id, url } = await registered()
    const { body, headers } = answer
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('pragma'), 'no-cache')
    assert.match(body.client_secret, /^sgs_/)
    assert.equal(body.client_secret_expires_at, 0)
    assert.ok(body.client_id_issued_at > 0)
    assert.equal(url, `${at.issuer}/oauth/register/${id}`)
    assert.equal(body.client_name, 'My app')
    assert.equal(body.scope, APP.scope)
    assert.deepEqual(body.grant_types, APP.grant_types)
    assert.deepEqual(body.response_types, ['code'])
    assert.deepEqual(body.redirect_uris, APP.redirect_uris)
    assert.equal(body.token_endpoint_auth_method, 'client_secret_basic')
    const client = await at.server.clients.find(id)
    assert.deepEqual([client?.source, client?.consent], ['dynamic', 'ask'])
  })

  test('makes a client that gets tokens', async () => {
    const { answer } = await registered({
      client_name: 'Loader',
      grant_types: ['client_credentials'],
      scope: 'system/Observation.r',
    })
    const { client_id, client_secret } = answer.body
    const token = await askToken(at.issuer, { client_id, client_secret })
    assert.deepEqual([token.status, token.body.scope], [200, 'system/Observation.r'])
  })

  test('takes the defaults of the RFC: code, basic, and the scopes that fit the grants', async () => {
    const { answer } = await registered({ redirect_uris: ['http://localhost:3000/cb'] })
    assert.deepEqual(answer.body.grant_types, ['authorization_code'])
    assert.equal(answer.body.scope, 'openid fhirUser launch/patient patient/*.rs')
    assert.equal(answer.body.application_type, 'web')
  })

  test('a public client has no secret', async () => {
    const { answer } = await registered({ ...APP, token_endpoint_auth_method: 'none' })
    assert.equal(answer.body.client_secret, undefined)
    assert.equal(answer.body.token_endpoint_auth_method, 'none')
  })

  test('ignores what it does not know, and never lets a client skip consent', async () => {
    const { id, answer } = await registered({
      ...APP,
      'client_name#de': 'Meine App',
      contacts: ['a@app.example'],
      consent: 'skip',
      source: 'stored',
      client_id: 'admin',
      client_secret: 'chosen-by-the-client',
    })
    assert.notEqual(id, 'admin')
    assert.notEqual(answer.body.client_secret, 'chosen-by-the-client')
    assert.equal(answer.body.contacts, undefined)
    assert.equal((await at.server.clients.find(id))?.consent, 'ask')
    const skipped = await at.server.clients.update(id, { consent: 'skip' })
    assert.ok(!skipped.ok && /registered itself/.test(skipped.why))
  })

  for (const [what, more, error, says] of [
    ['a scope beyond the policy', { scope: 'patient/*.cruds' }, 'invalid_client_metadata', /scope/],
    ['an admin scope', { scope: 'admin/clients.write' }, 'invalid_client_metadata', /scope/],
    [
      'a grant beyond it',
      { grant_types: [...APP.grant_types, 'urn:ietf:params:oauth:grant-type:device_code'] },
      'invalid_client_metadata',
      /grant_types/,
    ],
    [
      'a host beyond it',
      { redirect_uris: ['https://app.example/cb', 'https://evil.example/cb'] },
      'invalid_redirect_uri',
      /evil\.example/,
    ],
    [
      'a host that looks like it',
      { redirect_uris: ['https://app.example.evil.example/cb'] },
      'invalid_redirect_uri',
      /host/,
    ],
    [
      'a fragment',
      { redirect_uris: ['https://app.example/cb#x'] },
      'invalid_redirect_uri',
      /fragment/,
    ],
    ['no redirect URI', { redirect_uris: undefined }, 'invalid_redirect_uri', /none/],
    ['a redirect URI that is no list', { redirect_uris: 'x' }, 'invalid_redirect_uri', /array/],
    [
      'somebody else’s logo',
      { logo_uri: 'https://evil.example/logo.png' },
      'invalid_client_metadata',
      /logo_uri/,
    ],
    [
      'somebody else’s keys',
      { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://evil.example/jwks' },
      'invalid_client_metadata',
      /jwks_uri/,
    ],
    [
      'keys and a secret',
      { jwks: { keys: [] } },
      'invalid_client_metadata',
      /token_endpoint_auth_method/,
    ],
    [
      'an unknown method',
      { token_endpoint_auth_method: 'tls_client_auth' },
      'invalid_client_metadata',
      /token_endpoint_auth_method/,
    ],
    [
      'the implicit flow',
      { response_types: ['token'] },
      'invalid_client_metadata',
      /response_types/,
    ],
    [
      'a software statement',
      { software_statement: 'e30.e30.' },
      'unapproved_software_statement',
      /software_statement/,
    ],
  ] as const) {
    test(`refuses ${what}, and the token keeps its use`, async () => {
      const token = await makeToken()
      const answer = await register(token, { ...APP, ...more })
      assert.equal(answer.status, 400)
      assert.equal(answer.body.error, error)
      assert.match(answer.body.error_description, says)
      assert.equal(answer.headers.get('cache-control'), 'no-store')
      assert.equal((await register(token, APP)).status, 201)
    })
  }

  test('a policy without public clients refuses them', async () => {
    const token = await makeToken({ authMethods: ['private_key_jwt'] })
    const answer = await register(token, { ...APP, token_endpoint_auth_method: 'none' })
    assert.match(answer.body.error_description, /none is not allowed; private_key_jwt/)
  })

  test('what is no JSON object is refused without repeating it', async () => {
    for (const body of ['{"client_secret":"hunter2"', '[]', '"hunter2"']) {
      const answer = await register(await makeToken(), body)
      assert.equal(answer.status, 400)
      assert.ok(!JSON.stringify(answer.body).includes('hunter2'))
    }
    const form = await call('POST', `${at.issuer}/oauth/register`, await makeToken(), 'a=b', {
      'content-type': 'application/x-www-form-urlencoded',
    })
    assert.equal(form.status, 415)
    const huge = await register(await makeToken(), { ...APP, client_name: 'x'.repeat(70_000) })
    assert.equal(huge.status, 413, String(at.errors.at(-1)))
  })
})

describe('an initial access token', () => {
  test('is needed, and must be one', async () => {
    const none = await register(undefined, APP)
    assert.equal(none.status, 401)
    assert.equal(none.headers.get('www-authenticate'), 'Bearer realm="registration"')
    const wrong = await register('sgi_wrong', APP)
    assert.equal(wrong.status, 401)
    assert.match(wrong.headers.get('www-authenticate') ?? '', /error="invalid_token"/)
    const inQuery = await call(
      'POST',
      `${at.issuer}/oauth/register?access_token=${await makeToken()}`,
      undefined,
      APP,
    )
    assert.equal(inQuery.status, 401)
  })

  test('is good for as many clients as it says, however many ask at once', async () => {
    const token = await makeToken({ uses: 3 })
    const answers = await Promise.all(Array.from({ length: 8 }, () => register(token, APP)))
    const counted = answers.map(({ status }) => status).sort()
    assert.deepEqual(counted, [201, 201, 201, 401, 401, 401, 401, 401])
    const { rows } = await storage.pool.query(
      'SELECT uses_left FROM registration_token WHERE id = (SELECT token_id FROM client_registration WHERE client_id = $1)',
      [answers.find(({ status }) => status === 201)?.body.client_id],
    )
    assert.equal(rows[0].uses_left, 0)
  })

  test('ends when it expires or is removed; its clients stay', async () => {
    const made = await at.server.registrationTokens.create({ ...POLICY, uses: 5 })
    assert.ok(made.ok)
    const client = await register(made.token, APP)
    await storage.pool.query(
      `UPDATE registration_token SET expires_at = now() - interval '1 second' WHERE id = $1`,
      [made.view.id],
    )
    assert.equal((await register(made.token, APP)).status, 401)
    assert.ok(await at.server.registrationTokens.remove(made.view.id))
    assert.ok(!(await at.server.registrationTokens.remove(made.view.id)))
    const { registration_client_uri: url, registration_access_token: token } = client.body
    assert.equal((await call('GET', url, token)).status, 200)
  })

  for (const [what, more, says] of [
    ['no scope', { scopes: ' ' }, /scopes/],
    ['a misspelt scope', { scopes: 'patient/Observaton.rs' }, /Observaton/],
    ['a scope that its grants cannot have', { grants: ['client_credentials'] }, /scopes/],
    ['an unknown grant', { grants: ['password'] }, /password/],
    ['an unknown method', { authMethods: ['basic'] }, /basic/],
    ['a host with a scheme', { redirectHosts: ['https://app.example'] }, /neither a host/],
    ['no host', { redirectHosts: [] }, /redirect_hosts/],
    ['no use', { uses: 0 }, /uses/],
    ['no time', { expiresInSeconds: 0 }, /expires_in/],
  ] as const) {
    test(`is not made with ${what}`, async () => {
      const made = await at.server.registrationTokens.create({
        ...POLICY,
        ...(more as Partial<NewRegistrationToken>),
      })
      assert.ok(!made.ok)
      assert.match(made.why, says)
      assert.ok(made.fix)
    })
  }
})

describe('a registered client', () => {
  test('reads its registration, without the secret', async () => {
    const { url, token, answer } = await registered()
    const read = await call('GET', url, token)
    assert.equal(read.status, 200)
    assert.equal(read.headers.get('cache-control'), 'no-store')
    const { client_secret, client_secret_expires_at, ...rest } = answer.body
    assert.deepEqual(read.body, rest)
  })

  test('replaces it whole, within the policy of its initial access token', async () => {
    const { url, token, id } = await registered()
    const next = {
      client_id: id,
      client_name: 'Renamed',
      redirect_uris: ['http://localhost:4000/cb'],
      scope: 'openid patient/Condition.rs',
    }
    const changed = await call('PUT', url, token, next)
    assert.equal(changed.status, 200, JSON.stringify(changed.body))
    assert.deepEqual(
      [changed.body.client_name, changed.body.grant_types, changed.body.redirect_uris],
      ['Renamed', ['authorization_code'], next.redirect_uris],
    )
    assert.equal(changed.body.registration_access_token, token)
    assert.equal(changed.body.client_secret, undefined)
    for (const [more, error] of [
      [{ scope: 'patient/*.cruds' }, 'invalid_client_metadata'],
      [{ redirect_uris: ['https://evil.example/cb'] }, 'invalid_redirect_uri'],
      [{ client_id: 'another' }, 'invalid_client_metadata'],
      [{ client_id: undefined }, 'invalid_client_metadata'],
      [{ client_secret: 'not-its-secret' }, 'invalid_client_metadata'],
      [{ registration_access_token: token }, 'invalid_client_metadata'],
    ] as const) {
      const answer = await call('PUT', url, token, { ...next, ...more })
      assert.deepEqual([answer.status, answer.body.error], [400, error], JSON.stringify(more))
    }
    assert.equal((await call('GET', url, token)).body.client_name, 'Renamed')
  })

  test('may repeat its secret, and keeps what an operator decided', async () => {
    const { url, token, id, answer } = await registered()
    await at.server.clients.update(id, { consent: 'remember', accessTokenSeconds: 60 })
    const { client_secret } = answer.body
    const changed = await call('PUT', url, token, { ...APP, client_id: id, client_secret })
    assert.equal(changed.status, 200)
    const client = await at.server.clients.find(id)
    assert.deepEqual([client?.consent, client?.accessTokenSeconds], ['remember', 60])
  })

  test('that wants a secret after all gets one; one that wants none loses it', async () => {
    const { url, token, id } = await registered({ ...APP, token_endpoint_auth_method: 'none' })
    const closed = await call('PUT', url, token, { ...APP, client_id: id })
    assert.match(closed.body.client_secret, /^sgs_/)
    const open = { ...APP, client_id: id, token_endpoint_auth_method: 'none' }
    assert.equal((await call('PUT', url, token, open)).status, 200)
    assert.equal((await at.server.clients.find(id))?.authentication, 'none')
  })

  test('removes itself, and its token ends with it', async () => {
    const { url, token, id } = await registered()
    const removed = await call('DELETE', url, token)
    assert.deepEqual([removed.status, removed.body], [204, undefined])
    assert.equal(await at.server.clients.find(id), undefined)
    assert.equal((await call('GET', url, token)).status, 401)
  })

  test('cannot be reached with the token of another, the initial one, or none', async () => {
    const one = await registered()
    const other = await registered()
    const answers = await Promise.all([
      call('GET', one.url, other.token),
      call('PUT', one.url, other.token, { ...APP, client_id: one.id }),
      call('DELETE', one.url, other.token),
      call('GET', one.url, await makeToken()),
      call('GET', one.url),
      call('GET', `${at.issuer}/oauth/register/nobody`, one.token),
    ])
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array.from({ length: 6 }, () => 401),
    )
    assert.equal((await register(one.token, APP)).status, 401)
    assert.equal((await call('GET', one.url, one.token)).status, 200)
  })

  test('that an operator disabled manages nothing', async () => {
    const { url, token, id } = await registered()
    await at.server.clients.setDisabled(id, true)
    assert.equal((await call('DELETE', url, token)).status, 403)
    assert.ok(await at.server.clients.find(id))
  })

  test('an operator’s own client has no such address', async () => {
    const added = await at.server.clients.add({
      name: 'Stored',
      scopes: 'system/*.rs',
      grants: ['client_credentials'],
    })
    assert.ok(added.ok)
    const { token } = await registered()
    const url = `${at.issuer}/oauth/register/${added.client.clientId}`
    assert.equal((await call('DELETE', url, token)).status, 401)
  })
})

test('whoever guesses tokens has to wait; no token at all is no guess', async () => {
  const strict = await startServer(storage, { limits: { failuresPerMinute: 3 } })
  const ask = (token?: string) =>
    call('POST', `${strict.issuer}/oauth/register`, token, APP).then(({ status }) => status)
  for (let count = 0; count < 5; count++) assert.equal(await ask(), 401)
  for (let count = 0; count < 3; count++) assert.equal(await ask('sgi_guess'), 401)
  assert.equal(await ask('sgi_guess'), 429)
  assert.equal(await ask(await makeToken()), 201, 'a right one is let in')
  strict.close()
})

test('a policy of programs with keys allows no app with users', async () => {
  const made = await at.server.registrationTokens.create({
    name: 'backends',
    scopes: 'system/*.rs',
    redirectHosts: ['keys.partner.example'],
  })
  assert.ok(made.ok)
  assert.deepEqual(made.view.grants, ['client_credentials'])
})

test('browsers of other origins get no answer', async () => {
  const preflight = await fetch(`${at.issuer}/oauth/register`, {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
  })
  assert.equal(preflight.headers.get('access-control-allow-origin'), null)
  const { answer } = await registered()
  assert.equal(answer.headers.get('access-control-allow-origin'), null)
})

test('storage, events and answers to others hold no token and no secret', async () => {
  const initial = await makeToken()
  const answer = await register(initial, APP)
  const { client_secret, registration_access_token } = answer.body
  const { rows } = await storage.pool.query(
    `SELECT row_to_json(t)::text AS row FROM registration_token t
      UNION ALL SELECT row_to_json(r)::text FROM client_registration r
      UNION ALL SELECT row_to_json(c)::text FROM client c
      UNION ALL SELECT row_to_json(s)::text FROM client_secret s`,
  )
  const kept = JSON.stringify([rows, events, await at.server.registrationTokens.list()])
  for (const secret of [initial, client_secret, registration_access_token]) {
    assert.ok(!kept.includes(secret))
    assert.ok(!kept.includes(Buffer.from(secret).toString('base64').slice(0, 30)))
  }
  const last = events.findLast(({ action }) => action === 'client.register')
  assert.deepEqual(
    [last?.status, last?.clientId, typeof last?.tokenId],
    [201, answer.body.client_id, 'string'],
  )
  assert.ok(events.some(({ status, error }) => status === 401 && error === 'invalid_token'))
})
