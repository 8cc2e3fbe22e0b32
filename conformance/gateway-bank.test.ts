import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { openBank } from './support/bank.ts'
import { openSmartServer } from './support/open-smart-server.ts'
import { openUpstream } from './support/upstream.ts'

// Problem 4: a bank API that knows nothing of OAuth, protected by declaration.
const bank = await openBank()
const echo = await openUpstream()
const server = await openSmartServer({
  withoutSample: true,
  yaml: `apis:
  - name: bank
    path: /bank
    upstream: ${bank.url}
    auth:
      audiences: [bank-monitor, bank-demo]
      username: preferred_username
      roles: { from: scope, prefix: "bank:" }
    scopes: { bank.balance.read: See your balance, bank.transfer.write: Transfer your money }
    routes:
      - { path: /checkbalance, methods: [GET], scopes: [bank.balance.read] }
      - { path: /transfer, methods: [POST], scopes: [bank.transfer.write] }
      - { path: /whoami, methods: [GET] }
      - { path: /vault, roles: ["bank:bank.vault"] }
      - { path: /public/*, public: true }
    forward:
      headers: { X-User: username, X-Scopes: scopes, X-Roles: roles }
      jwt: { header: X-Identity, audience: the-bank, seconds: 60 }
  - name: legacy
    path: /legacy
    upstream: ${echo.url}
    auth: { schemes: [basic, oauth2], username: preferred_username, basicScopes: [legacy.read] }
    routes: [{ path: "/*", scopes: [legacy.read] }]
    forward: { headers: { X-User: username } }
`,
})
after(async () => {
  await server.close()
  await bank.close()
  await echo.close()
})

const audience = `${server.url}/bank`
const monitor = await server.app({
  scopes: 'bank.balance.read',
  as: 'secret',
  grants: ['client_credentials'],
})
const demo = await server.app({
  scopes: 'bank.balance.read bank.transfer.write',
  as: 'secret',
  grants: ['client_credentials'],
})

async function tokenOf(app: typeof monitor, scope: string, set = {}): Promise<string> {
  const answer = await app.clientCredentials(scope, { set: { resource: audience, ...set } })
  assert.equal(answer.status, 200, JSON.stringify(answer.json))
  return answer.json.access_token ?? ''
}

function call(path: string, token?: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    ...init,
    headers: {
      ...init.headers,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
  })
}

const transfer = (token: string, dollars: number) =>
  call('/bank/transfer', token, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ toAccount: 'ACCT-2', dollars }),
  })

describe('4.1 a client with the smaller scope', () => {
  test('reads the balance, and is told which scope a transfer needs', async () => {
    const token = await tokenOf(monitor, 'bank.balance.read')
    const balance = await call('/bank/checkbalance', token)
    assert.equal(balance.status, 200)
    assert.deepEqual(await balance.json(), { dollars: 5 })
    assert.ok(balance.headers.get('x-request-id'))

    const refused = await transfer(token, 2)
    assert.equal(refused.status, 403)
    const challenge = refused.headers.get('www-authenticate') ?? ''
    assert.match(challenge, /^Bearer realm="bank", error="insufficient_scope"/)
    assert.match(challenge, /scope="bank\.transfer\.write"/)
    assert.match(refused.headers.get('content-type') ?? '', /^application\/problem\+json/)
    const problem = (await refused.json()) as Record<string, unknown>
    assert.equal(problem.code, 'api_scope_missing')
    assert.deepEqual(problem.neededScopes, ['bank.transfer.write'])
    assert.deepEqual(problem.heldScopes, ['bank.balance.read'])
    assert.equal(problem.correlationId, refused.headers.get('x-request-id'))
  })

  test('is explained to the operator under the same id, check by check', async () => {
    const refused = await transfer(await tokenOf(monitor, 'bank.balance.read'), 2)
    const id = refused.headers.get('x-request-id')
    const { traces } = await server.admin<{
      traces: readonly {
        readonly checks: readonly { readonly name: string; readonly outcome: string }[]
        readonly clientId: string
        readonly path: string
      }[]
    }>('GET', `/traces?correlation_id=${id}`)
    const [trace] = traces
    assert.equal(trace?.clientId, monitor.clientId)
    assert.equal(trace.path, '/bank/transfer')
    const of = (name: string) => trace.checks.find((check) => check.name === name)?.outcome
    assert.equal(of('audience'), 'pass')
    assert.equal(of('route'), 'pass')
    assert.equal(of('scopes'), 'fail')
    assert.equal(of('upstream'), 'skipped')
  })

  test('cannot get the larger scope, however it asks', async () => {
    const answer = await monitor.clientCredentials('bank.transfer.write', {
      set: { resource: audience },
    })
    assert.equal(answer.status, 400)
    assert.equal(answer.json.error, 'invalid_scope')
  })
})

describe('4.2 people, and a client with both scopes', async () => {
  const people = await Promise.all(
    ['user1', 'user2'].map(async (username) => {
      const password = `correct horse battery ${username}`
      const { id } = await server.admin<{ id: string }>('POST', '/users', {
        username,
        password,
        name: username,
      })
      return { id, username, password }
    }),
  )
  const app = await server.app({
    scopes: 'openid profile bank.balance.read bank.transfer.write',
    grants: ['authorization_code'],
  })
  const launch = (index: number, scope: string) =>
    server.launch(app, people[index]!, { scope, set: { aud: undefined, resource: audience } })

  test('the money of one user is with the other; each is known by the claim that was chosen', async () => {
    const one = await launch(0, 'openid profile bank.balance.read bank.transfer.write')
    assert.equal(
      one.token.scope?.split(' ').sort().join(' '),
      'bank.balance.read bank.transfer.write openid profile',
    )
    assert.equal((await transfer(one.accessToken, 2)).status, 200)
    const two = await launch(1, 'openid profile bank.balance.read')
    const balance = async (token: string) => (await call('/bank/checkbalance', token)).json()
    assert.deepEqual(await balance(one.accessToken), { dollars: 3 })
    assert.deepEqual(await balance(two.accessToken), { dollars: 2 })
    // The scope decides, not the client.
    assert.equal((await transfer(two.accessToken, 1)).status, 403)
  })

  test('are asked in the words of the API, and may leave a scope out', async () => {
    const { accessToken, token } = await server.launch(app, people[0]!, {
      scope: 'bank.balance.read bank.transfer.write',
      set: { aud: undefined, resource: audience },
      consent: { keep: (scope) => scope !== 'bank.transfer.write' },
    })
    assert.equal(token.scope, 'bank.balance.read')
    assert.equal((await transfer(accessToken, 1)).status, 403)
  })

  test('need not name the API where only one has the scope', async () => {
    const { accessToken } = await server.launch(app, people[0]!, {
      scope: 'bank.balance.read',
      set: { aud: undefined },
    })
    assert.equal((await call('/bank/checkbalance', accessToken)).status, 200)
  })
})

describe('4.3 no token, and tokens that are not for the bank', () => {
  test('without a token the challenge is bare', async () => {
    const refused = await call('/bank/checkbalance')
    assert.equal(refused.status, 401)
    const challenge = refused.headers.get('www-authenticate') ?? ''
    assert.match(challenge, /^Bearer realm="bank"/)
    assert.doesNotMatch(challenge, /error=/)
  })

  test('a token for another API is refused with its audience', async () => {
    const other = await server.app({
      scopes: 'system/Patient.rs',
      as: 'secret',
      grants: ['client_credentials'],
    })
    const { json } = await other.clientCredentials('system/Patient.rs')
    const refused = await call('/bank/checkbalance', json.access_token)
    assert.equal(refused.status, 401)
    assert.match(refused.headers.get('www-authenticate') ?? '', /error="invalid_token"/)
    const problem = (await refused.json()) as { code: string; detail: string }
    assert.equal(problem.code, 'audience_mismatch')
    assert.match(problem.detail, new RegExp(audience))
  })

  test('a token that was revoked is refused at once', async () => {
    const token = await tokenOf(demo, 'bank.balance.read')
    assert.equal((await call('/bank/checkbalance', token)).status, 200)
    const revoked = await demo.post(`${server.url}/oauth/revoke`, { token })
    assert.equal(revoked.status, 200)
    const refused = await call('/bank/checkbalance', token)
    assert.equal(refused.status, 401)
    assert.equal(((await refused.json()) as { code: string }).code, 'token_revoked')
  })

  test('a token of the bank opens neither the FHIR endpoint nor the admin API', async () => {
    const token = await tokenOf(demo, 'bank.balance.read')
    assert.equal((await server.fhir(token, 'Patient')).status, 401)
    assert.equal((await call('/admin/api/clients', token)).status, 401)
  })
})

describe('4.4 what the handler gets', () => {
  test('user, roles with their prefix, scopes; nothing of it from the caller', async () => {
    const token = await tokenOf(monitor, 'bank.balance.read')
    const answer = await call('/bank/whoami', token, {
      headers: {
        'X-User': 'mallory',
        X_User: 'mallory',
        'x-roles': 'bank:admin',
        'X-Identity': 'x',
      },
    })
    const { jwt, ...rest } = (await answer.json()) as Record<string, string>
    assert.deepEqual(rest, {
      // Client credentials have no `preferred_username`: the subject stands in.
      name: monitor.clientId,
      roles: 'bank:bank.balance.read',
      scopes: 'bank.balance.read',
    })
    const jwks = await (await fetch(`${server.url}/oauth/jwks`)).json()
    const { payload, protectedHeader } = await jwtVerify(
      jwt ?? '',
      createLocalJWKSet(jwks as Parameters<typeof createLocalJWKSet>[0]),
      { issuer: server.url, audience: 'the-bank', typ: 'scopegate-identity+jwt' },
    )
    assert.equal(payload.sub, monitor.clientId)
    assert.equal(payload.scope, 'bank.balance.read')
    assert.deepEqual(payload.roles, ['bank:bank.balance.read'])
    assert.equal(protectedHeader.alg, 'ES256')
    // It is no access token, whoever takes it for one.
    assert.equal((await call('/bank/whoami', jwt)).status, 401)
  })

  test('a missing role is refused, with no challenge: another token would not help', async () => {
    const refused = await call('/bank/vault', await tokenOf(demo, 'bank.balance.read'))
    assert.equal(refused.status, 403)
    assert.equal(refused.headers.get('www-authenticate'), null)
    assert.equal(((await refused.json()) as { code: string }).code, 'role_missing')
  })

  test('what no route is for is refused: unknown path, unknown method, and nothing without a token', async () => {
    const token = await tokenOf(demo, 'bank.balance.read')
    assert.equal((await call('/bank/elsewhere', token)).status, 404)
    assert.equal((await call('/bank/elsewhere')).status, 401)
    const method = await call('/bank/checkbalance', token, { method: 'DELETE' })
    assert.equal(method.status, 405)
    assert.equal(method.headers.get('allow'), 'GET, HEAD')
  })

  test('a public route needs nothing and tells nothing', async () => {
    // The bank has no such page: its own 404 shows that the request went through.
    const answer = await call('/bank/public/terms', undefined, { headers: { 'x-user': 'mallory' } })
    assert.equal(answer.status, 404)
    assert.deepEqual(await answer.json(), {})
  })
})

describe('basic and oauth2 side by side', async () => {
  const password = 'correct horse battery legacy'
  await server.admin('POST', '/users', { username: 'olduser', password, name: 'Old User' })
  const basic = (name: string, word: string) => Buffer.from(`${name}:${word}`).toString('base64')
  const bearer = await server.app({
    scopes: 'legacy.read',
    as: 'secret',
    grants: ['client_credentials'],
  })
  const { json } = await bearer.clientCredentials('legacy.read')
  const get = (authorization?: string) =>
    fetch(`${server.url}/legacy/x`, {
      headers: authorization === undefined ? {} : { authorization },
    })

  test('either opens it; without both there is a challenge for each', async () => {
    const refused = await get()
    assert.equal(refused.status, 401)
    const challenge = refused.headers.get('www-authenticate') ?? ''
    assert.match(challenge, /Bearer realm="legacy"/)
    assert.match(challenge, /Basic realm="legacy", charset="UTF-8"/)
    const byPassword = await get(`Basic ${basic('olduser', password)}`)
    assert.equal(byPassword.status, 200)
    const seen = (await byPassword.json()) as { headers: Record<string, string> }
    assert.equal(seen.headers['x-user'], 'olduser')
    assert.equal(seen.headers.authorization, undefined)
    assert.equal((await get(`Bearer ${json.access_token}`)).status, 200)
  })

  test('both must pass where both come', async () => {
    const good = basic('olduser', password)
    const bad = basic('olduser', 'wrong')
    const token = json.access_token
    assert.equal((await get(`Basic ${good}, Bearer ${token}`)).status, 200)
    assert.equal((await get(`Bearer ${token}, Basic ${good}`)).status, 200)
    assert.equal((await get(`Basic ${bad}, Bearer ${token}`)).status, 401)
    assert.equal((await get(`Basic ${good}, Bearer ${token}x`)).status, 401)
  })

  test('a wrong password says no more than that', async () => {
    const wrong = await get(`Basic ${basic('olduser', 'wrong')}`)
    const unknown = await get(`Basic ${basic('nobody', 'wrong')}`)
    assert.equal(wrong.status, 401)
    const strip = async (answer: Response) => {
      const { correlationId, ...rest } = (await answer.json()) as Record<string, unknown>
      assert.ok(correlationId)
      return rest
    }
    assert.deepEqual(await strip(wrong), await strip(unknown))
  })
})
