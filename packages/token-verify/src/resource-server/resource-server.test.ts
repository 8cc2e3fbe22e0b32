import assert from 'node:assert/strict'
import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import {
  LAB_TENANT,
  LAB_TOKEN_FAULTS,
  type LabFlavourName,
  type LabTokenFault,
  serveLabOpenIdProvider,
} from '@scopegate/lab'
import {
  createResourceServer,
  type ResourceServer,
  type TrustedIssuer,
} from '@scopegate/token-verify'

const AUDIENCE = 'https://api.example'

async function open(t: { after(close: () => void): void }, flavour: LabFlavourName = 'generic') {
  const lab = await serveLabOpenIdProvider({ flavour, audience: AUDIENCE })
  t.after(() => lab.close())
  return lab
}

const asked = (token?: string, url = '/') => ({
  method: 'GET',
  url,
  headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
})

async function refusal(api: ResourceServer, token?: string, scopes?: readonly string[], url = '/') {
  const answer = await api.authenticate(asked(token, url), scopes === undefined ? {} : { scopes })
  assert.equal(answer.ok, false)
  return answer
}

describe('a resource server', () => {
  const presets: Partial<Record<LabFlavourName, TrustedIssuer>> = {
    'entra-v2': { preset: 'entra-v2', tenant: LAB_TENANT },
    'entra-v1': { preset: 'entra-v1', tenant: LAB_TENANT },
    okta: { preset: 'okta' },
    keycloak: { preset: 'keycloak' },
    auth0: { preset: 'auth0' },
    generic: {},
  }
  for (const [name, preset] of Object.entries(presets)) {
    test(`takes tokens of ${name} by its discovery, and no wrong one`, async (t) => {
      const lab = await open(t, name as LabFlavourName)
      const claims = { aud: AUDIENCE }
      const api = createResourceServer({
        issuer: { ...preset, issuer: lab.issuer },
        audience: AUDIENCE,
      })
      const wish = { scopes: ['read'], userId: 'nora', claims }
      const answer = await api.authenticate(asked(lab.mintAccessToken(wish)))
      assert.ok(answer.ok, JSON.stringify(answer))
      assert.ok(answer.scopes.has('read'))
      assert.equal(answer.token.clientId, 'lab-app')
      for (const fault of Object.keys(LAB_TOKEN_FAULTS) as LabTokenFault[]) {
        const isOfAudience = fault === 'wrong-audience' || fault === 'without-audience'
        const token = lab.mintAccessToken({
          ...wish,
          ...(isOfAudience ? { claims: {} } : {}),
          wrong: [fault],
        })
        const { status, headers } = await refusal(api, token)
        assert.equal(status, 401, fault)
        assert.match(
          headers['WWW-Authenticate'] ?? '',
          /^Bearer realm="api", error="invalid_token"/,
        )
      }
    })
  }

  test('says what is missing: nothing of a token, an error of a bad one, scopes of a good one', async (t) => {
    const lab = await open(t)
    const api = createResourceServer({ issuer: lab.issuer, audience: AUDIENCE, realm: 'bank' })
    const bare = await refusal(api)
    assert.equal(bare.status, 401)
    assert.equal(bare.headers['WWW-Authenticate'], 'Bearer realm="bank"')
    const token = lab.mintAccessToken({ scopes: ['read'] })
    const short = await refusal(api, token, ['read', 'write'])
    assert.equal(short.status, 403)
    const challenge = short.headers['WWW-Authenticate'] ?? ''
    assert.match(
      challenge,
      /^Bearer realm="bank", error="insufficient_scope", .*scope="read write"$/,
    )
    assert.deepEqual(short.problem.neededScopes, ['read', 'write'])
    assert.equal(short.checks.at(-1)?.name, 'scopes')
    assert.equal((await api.authenticate(asked(token), { scopes: ['read'] })).ok, true)
    const inAddress = await refusal(api, undefined, [], `/?access_token=${token}`)
    assert.equal(inAddress.problem.code, 'token_in_query')
    assert.equal(api.challenge(), 'Bearer realm="bank"')
    assert.match(api.challenge(['write']), /error="insufficient_scope".*scope="write"/)
  })

  test('reads what any framework hands it, and notices a repeated header', async (t) => {
    const lab = await open(t)
    const api = createResourceServer({ issuer: lab.issuer, audience: AUDIENCE })
    const authorization = `Bearer ${lab.mintAccessToken({})}`
    const standard = new Request('https://api.example/x', { headers: { authorization } })
    assert.equal((await api.authenticate(standard)).ok, true)
    const server = createServer(async (request, response) => {
      const answer = await api.authenticate(request)
      response.writeHead(answer.ok ? 200 : answer.status).end()
    }).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as AddressInfo
    const statusOf = (headers: readonly string[]) =>
      new Promise<number | undefined>((resolve, reject) => {
        send({ port, host: '127.0.0.1', headers: ['Host', 'x', ...headers] }, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
          .on('error', reject)
          .end()
      })
    assert.equal(await statusOf(['Authorization', authorization]), 200)
    const twice = ['Authorization', authorization, 'Authorization', 'Bearer another']
    assert.equal(await statusOf(twice), 400)
  })

  test('an outage of the issuer is 503, never the fault of the token', async (t) => {
    const lab = await open(t)
    const unavailable: Error[] = []
    const api = createResourceServer({
      issuer: lab.issuer,
      audience: AUDIENCE,
      onUnavailable: (error) => unavailable.push(error),
    })
    lab.faults.add('down')
    const { status, headers, problem } = await refusal(api, lab.mintAccessToken({}))
    assert.equal(status, 503)
    assert.ok(headers['Retry-After'])
    assert.equal(headers['WWW-Authenticate'], undefined)
    assert.equal(problem.code, 'keys_unavailable')
    assert.match(unavailable[0]?.message ?? '', /status 503/)
  })

  test('asks Google about its opaque tokens', async (t) => {
    const lab = await open(t, 'google')
    const api = createResourceServer({
      issuer: {
        preset: 'google',
        issuer: lab.issuer,
        introspection: { url: `${lab.url}/tokeninfo`, cacheSeconds: 1, when: 'opaque' },
      },
      audience: 'my-app.apps.googleusercontent.com',
    })
    const wish = { clientId: 'my-app.apps.googleusercontent.com', scopes: ['openid'] }
    const answer = await api.authenticate(asked(lab.mintAccessToken(wish)))
    assert.ok(answer.ok, JSON.stringify(answer))
    const foreign = await refusal(api, lab.mintAccessToken({ ...wish, clientId: 'their-app' }))
    assert.equal(foreign.problem.code, 'audience_mismatch')
  })

  test('is not made from options that cannot be right', () => {
    const make = (options: Parameters<typeof createResourceServer>[0]) => () =>
      createResourceServer(options)
    assert.throws(make({ issuer: 'https://x', audience: [] }), /^TypeError: audience: /)
    assert.throws(make({ issuer: { preset: 'entra-v2' }, audience: 'a' }), /tenant/)
    assert.throws(make({ issuer: [], audience: 'a' }), /^TypeError: issuer: /)
  })
})
