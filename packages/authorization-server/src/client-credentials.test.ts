import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { createTokenVerifier, rfc9068Issuer } from '@scopegate/token-verify'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { type StartedServer, startServer } from './testing/start-server.ts'

const storage = await testStorage()
let at: StartedServer
let id: string
let secret: string
const LAB = 'system/Observation.rs?category=laboratory'

before(async () => {
  at = await startServer(storage)
  const added = await at.server.clients.add({
    name: 'Lab reader',
    scopes: `${LAB} system/Patient.rs`,
    grants: ['client_credentials'],
  })
  assert.ok(added.ok)
  id = added.client.clientId
  secret = added.clientSecret ?? ''
})
after(() => at.close())

async function ask(form: Record<string, string>, headers: Record<string, string> = {}) {
  const response = await fetch(`${at.issuer}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', ...form }),
    headers,
  })
  // biome-ignore lint/suspicious/noExplicitAny: a body is whatever came
  const body = (await response.json()) as any
  return { response, status: response.status, body }
}
const withSecret = (form: Record<string, string> = {}) =>
  ask({ client_id: id, client_secret: secret, ...form })
const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

function verify(token: string, audience = at.fhir) {
  const verifier = createTokenVerifier({
    issuers: [rfc9068Issuer(at.issuer, at.server.keySource)],
    clockToleranceSeconds: 30,
    now: () => Math.floor(Date.now() / 1000),
  })
  return verifier.verify(`Bearer ${token}`, { audiences: [audience], issuers: [at.issuer] })
}

describe('a system token by client credentials', () => {
  test('is a JWT access token that token-verify accepts, with what was granted and no more', async () => {
    const { response, status, body } = await withSecret({ scope: LAB })
    assert.equal(status, 200, JSON.stringify(body))
    const { access_token, ...rest } = body
    assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 300, scope: LAB })
    assert.match(response.headers.get('cache-control') ?? '', /no-store/)
    assert.equal(response.headers.get('pragma'), 'no-cache')

    const verdict = await verify(access_token)
    assert.ok(verdict.ok, JSON.stringify(verdict.checks))
    const { token } = verdict
    assert.deepEqual(
      [token.scope, token.subject, token.clientId, token.audience, token.issuer],
      [LAB, id, id, [at.fhir], at.issuer],
    )
    assert.equal(token.expiresAt - token.issuedAt, 300)
    const header = JSON.parse(Buffer.from(access_token.split('.')[0], 'base64url').toString())
    assert.equal(header.typ, 'at+jwt')
  })

  test('is given for Basic and for the form alike', async () => {
    const { status } = await ask({ scope: LAB }, basic(id, secret))
    assert.equal(status, 200)
  })

  test('without a scope holds everything the client is registered for', async () => {
    const { body } = await withSecret()
    assert.equal(body.scope, `${LAB} system/Patient.rs`)
    assert.equal(body.omitted_scopes, undefined)
  })

  for (const parameter of ['resource', 'aud']) {
    test(`is for the API that \`${parameter}\` names, with or without a final slash`, async () => {
      for (const slash of ['', '/']) {
        const { body } = await withSecret({ scope: LAB, [parameter]: `${at.fhir}${slash}` })
        assert.ok((await verify(body.access_token)).ok)
      }
      const { status, body } = await withSecret({ scope: LAB, [parameter]: 'https://x.example' })
      assert.equal(status, 400)
      assert.equal(body.error, 'invalid_target')
      assert.match(body.error_description, new RegExp(`expected ${at.fhir}`))
    })
  }

  test('is obtained by openid-client with Basic and with the form', async () => {
    for (const method of [openid.ClientSecretBasic(secret), openid.ClientSecretPost(secret)]) {
      const options = { execute: [openid.allowInsecureRequests] }
      const config = await openid.discovery(new URL(at.issuer), id, {}, method, options)
      const tokens = await openid.clientCredentialsGrant(config, { scope: LAB })
      assert.equal(tokens.scope, LAB)
      assert.ok((await verify(tokens.access_token)).ok)
    }
  })

  test('is obtained by oauth4webapi over RFC 8414 discovery', async () => {
    const insecure = { [oauth.allowInsecureRequests]: true }
    const issuer = new URL(at.issuer)
    const as = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }),
    )
    const client = { client_id: id }
    const response = await oauth.clientCredentialsGrantRequest(
      as,
      client,
      oauth.ClientSecretBasic(secret),
      new URLSearchParams({ scope: LAB }),
      insecure,
    )
    const tokens = await oauth.processClientCredentialsResponse(as, client, response)
    assert.equal(tokens.token_type, 'bearer')
  })
})

describe('scopes', () => {
  test('wider than registered are granted as far as registered, and that is said', async () => {
    const { body } = await withSecret({ scope: 'system/Observation.cruds system/Patient.r' })
    assert.equal(body.scope, `${LAB} system/Patient.r`)
    assert.equal(body.omitted_scopes.length, 1)
    assert.equal(body.omitted_scopes[0].code, 'scope_narrowed')
    assert.equal(body.omitted_scopes[0].granted, LAB)
  })

  test('that cannot be evaluated are left out with the reason, the others granted', async () => {
    const { status, body } = await withSecret({
      scope: 'system/Patient.rs system/Observation.sr system/Observation.rs?categry=laboratory',
    })
    assert.equal(status, 200)
    assert.equal(body.scope, 'system/Patient.rs')
    assert.deepEqual(
      body.omitted_scopes.map(({ code }: { code: string }) => code),
      ['scope_not_evaluable', 'scope_not_evaluable'],
    )
    assert.equal(at.issued.at(-1)?.remarks.length, 2)
  })

  test('OpenID scopes that libraries add are left out and do no harm', async () => {
    const { body } = await withSecret({ scope: `openid offline_access ${LAB}` })
    assert.equal(body.scope, LAB)
    assert.equal(body.refresh_token, undefined)
    assert.equal(body.id_token, undefined)
  })

  for (const [what, scope, code, says] of [
    ['user/', 'user/Observation.rs', 'scope_needs_user', /signed-in user.*system\/Observation\.rs/],
    [
      'patient/ beside one that could be granted',
      `patient/*.rs ${LAB}`,
      'scope_needs_user',
      /signed-in user/,
    ],
    ['out of order', 'system/Patient.sr', 'scope_not_evaluable', /out of order.*\.rs/],
    [
      'of an unknown type',
      'system/Observations.rs',
      'scope_not_evaluable',
      /not an R4 resource type/,
    ],
    ['with a modifier', 'system/Observation.rs?category:not=x', 'scope_not_evaluable', /modifier/],
    ['not registered', 'system/Condition.rs', 'scope_not_registered', /not registered/],
    [
      'of the admin API, not registered',
      'admin/clients.write',
      'scope_not_registered',
      /not registered/,
    ],
    ['unknown', 'everything', 'scope_unknown', /no such scope/],
  ] as const) {
    test(`${what}: invalid_scope that says why`, async () => {
      const { status, body } = await withSecret({ scope })
      assert.equal(status, 400)
      assert.equal(body.error, 'invalid_scope')
      assert.match(body.error_description, says)
      assert.equal(at.refusals.at(-1)?.code, code)
    })
  }

  test('with characters outside the grammar are refused without being repeated raw', async () => {
    const { status, body } = await withSecret({ scope: 'system/Patient.rs "><script>' })
    assert.equal(status, 400)
    assert.equal(body.error, 'invalid_scope')
    assert.doesNotMatch(body.error_description, /["\\]/)
  })
})

test('a page of another origin reads neither a token nor an error', async () => {
  for (const form of [{ client_id: id, client_secret: secret }, { client_id: id }]) {
    const { response } = await ask(form as Record<string, string>, {
      origin: 'https://evil.example',
    })
    assert.equal(response.headers.get('access-control-allow-origin'), null)
    assert.notEqual(response.status, 200)
  }
  const preflight = await fetch(`${at.issuer}/oauth/token`, {
    method: 'OPTIONS',
    headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
  })
  assert.equal(preflight.headers.get('access-control-allow-origin'), null)
})

test('scopes of 20 KiB are read, a body beyond the limit is refused', async () => {
  const many = Array.from({ length: 300 }, (_, i) => `system/Patient.rs?_id=a-long-id-${i}`)
  const { status, body } = await withSecret({ scope: many.join(' ') })
  assert.equal(status, 200, JSON.stringify(body).slice(0, 300))
  const big = await withSecret({ scope: 'x'.repeat(80_000) })
  assert.equal(big.status, 400)
  assert.equal(big.body.error, 'invalid_request')
})

describe('a refused token request', () => {
  test('is the same for an unknown client and a wrong secret; the operator sees which', async () => {
    const wrong = await withSecret({ client_secret: 'sgs_wrong' })
    const unknown = await ask({ client_id: 'nobody', client_secret: secret })
    assert.equal(wrong.status, 401)
    assert.equal(unknown.status, 401)
    const { correlation_id: one, ...a } = wrong.body
    const { correlation_id: two, ...b } = unknown.body
    assert.deepEqual(a, b)
    assert.equal(a.error, 'invalid_client')
    const [first, second] = at.refusals.slice(-2)
    assert.deepEqual(
      [first?.code, first?.correlationId, first?.clientId],
      ['secret_wrong', one, id],
    )
    assert.deepEqual([second?.code, second?.correlationId], ['client_unknown', two])
    assert.deepEqual(
      first?.checks.map(({ name, outcome }) => `${name} ${outcome}`),
      [
        'rate pass',
        'request pass',
        'client pass',
        'credential fail',
        'replay skipped',
        'grant_type skipped',
        'proof skipped',
        'grant skipped',
        'resource skipped',
        'scope skipped',
        'user skipped',
      ],
    )
    assert.ok(!JSON.stringify(at.refusals).includes(secret))
  })

  for (const [what, form, headers, status, error] of [
    ['no client', {}, {}, 400, 'invalid_request'],
    [
      'two mechanisms',
      { client_id: 'a', client_secret: 'b' },
      basic('a', 'b'),
      400,
      'invalid_request',
    ],
    ['Bearer for client authentication', {}, { authorization: 'Bearer x' }, 400, 'invalid_request'],
    ['another grant type', { grant_type: 'password' }, {}, 400, 'unsupported_grant_type'],
    [
      'the authorization code grant',
      { grant_type: 'authorization_code' },
      {},
      400,
      'unsupported_grant_type',
    ],
  ] as const) {
    test(`${what}: ${status} ${error}, JSON even for a browser, with a reason in the trace`, async () => {
      const credentials = what.includes('grant') ? { client_id: id, client_secret: secret } : {}
      const answer = await ask({ ...credentials, ...form }, { accept: 'text/html', ...headers })
      assert.equal(answer.status, status, JSON.stringify(answer.body))
      assert.equal(answer.body.error, error)
      assert.ok(answer.body.error_description)
      assert.equal(at.refusals.at(-1)?.correlationId, answer.body.correlation_id)
    })
  }

  test('who names no client is told how a client is named', async () => {
    const answer = await ask({})
    assert.match(String(answer.body.error_description), /send client_id and client_secret/)
  })

  test('a duplicate parameter is refused', async () => {
    const response = await fetch(`${at.issuer}/oauth/token`, {
      method: 'POST',
      body: `grant_type=client_credentials&scope=a&scope=b&client_id=${id}&client_secret=${secret}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    assert.equal(response.status, 400)
    assert.match(
      JSON.stringify(await response.json()),
      /'scope' parameter must not be provided twice/,
    )
  })

  test('opened in a browser says what to send', async () => {
    const response = await fetch(`${at.issuer}/oauth/token`)
    assert.equal(response.status, 405)
    assert.equal(response.headers.get('allow'), 'POST')
    assert.match(JSON.stringify(await response.json()), /POST a form with grant_type/)
  })

  test('two Authorization headers are refused', async () => {
    const { authorization } = basic(id, secret)
    const status = await new Promise((resolve) => {
      request(
        `${at.issuer}/oauth/token`,
        {
          method: 'POST',
          headers: [
            ...['host', new URL(at.issuer).host, 'authorization', authorization],
            ...['authorization', 'Basic YTpi', 'content-length', '0'],
          ],
        },
        (response) => resolve(response.resume().statusCode),
      ).end()
    })
    assert.equal(status, 400)
    assert.equal(at.refusals.at(-1)?.code, 'several_authorization_headers')
  })

  test('a JSON body is refused with what is expected', async () => {
    const response = await fetch(`${at.issuer}/oauth/token`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    })
    assert.equal(response.status, 400)
    assert.match(JSON.stringify(await response.json()), /application\/x-www-form-urlencoded/)
  })
})

describe('the Host header', () => {
  /** `fetch` does not let a Host be set. */
  function get(path: string, headers: Record<string, string>): Promise<string> {
    return new Promise((resolve, reject) => {
      request(`${at.issuer}${path}`, { headers }, async (response) => {
        const chunks: Buffer[] = []
        for await (const chunk of response) chunks.push(chunk as Buffer)
        resolve(Buffer.concat(chunks).toString())
      })
        .on('error', reject)
        .end()
    })
  }

  test('changes nothing in discovery, nor do those that proxies set', async () => {
    for (const path of [
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server',
    ]) {
      const honest = await get(path, {})
      assert.match(honest, new RegExp(`"token_endpoint":"${at.issuer}/oauth/token"`))
      for (const headers of [
        { host: 'evil.example' },
        { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
        { forwarded: 'host=evil.example;proto=https' },
        { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-port': '1' },
      ] as Record<string, string>[]) {
        assert.equal(await get(path, headers), honest)
      }
    }
  })
})

describe('metadata', () => {
  test('says only what works', async () => {
    for (const name of ['openid-configuration', 'oauth-authorization-server']) {
      const response = await fetch(`${at.issuer}/.well-known/${name}`)
      const metadata = (await response.json()) as Record<string, unknown>
      assert.equal(response.headers.get('access-control-allow-origin'), '*')
      assert.equal(metadata.issuer, at.issuer)
      assert.equal(metadata.token_endpoint, `${at.issuer}/oauth/token`)
      assert.equal(metadata.jwks_uri, `${at.issuer}/oauth/jwks`)
      assert.deepEqual(metadata.grant_types_supported, ['client_credentials'])
      assert.deepEqual(metadata.response_types_supported, [])
      assert.deepEqual(metadata.token_endpoint_auth_methods_supported, [
        'client_secret_basic',
        'client_secret_post',
        'private_key_jwt',
      ])
      assert.equal(metadata.introspection_endpoint, `${at.issuer}/oauth/introspect`)
      assert.equal(metadata.revocation_endpoint, `${at.issuer}/oauth/revoke`)
      assert.equal(metadata.registration_endpoint, `${at.issuer}/oauth/register`)
      for (const absent of [
        'authorization_endpoint',
        'userinfo_endpoint',
        'pushed_authorization_request_endpoint',
        'end_session_endpoint',
        'id_token_signing_alg_values_supported',
      ]) {
        assert.equal(metadata[absent], undefined, absent)
      }
    }
  })

  test('of SMART has what Backend Services need, and no more than works', async () => {
    const smart = at.server.smartConfiguration(at.fhir)
    assert.equal(smart.token_endpoint, `${at.issuer}/oauth/token`)
    assert.deepEqual(smart.capabilities, [
      'client-confidential-symmetric',
      'client-confidential-asymmetric',
      'permission-v1',
      'permission-v2',
    ])
    assert.ok(smart.token_endpoint_auth_signing_alg_values_supported.includes('RS384'))
    assert.ok(smart.token_endpoint_auth_signing_alg_values_supported.includes('ES384'))
    const added = await at.server.clients.add({
      name: 'all',
      scopes: 'system/*.cruds introspect',
      grants: ['client_credentials'],
    })
    assert.ok(added.ok)
    const { body } = await ask({
      client_id: added.client.clientId,
      client_secret: added.clientSecret ?? '',
      scope: smart.scopes_supported.join(' '),
    })
    assert.equal(body.omitted_scopes, undefined, 'every scope that is listed can be had')
  })

  test('paths of flows that do not work yet answer 404', async () => {
    for (const path of [
      '/oauth/authorize',
      '/oauth/par',
      '/oauth/device',
      '/interaction/x',
      '/oauth/token/',
    ]) {
      assert.equal((await fetch(`${at.issuer}${path}`)).status, 404, path)
    }
  })
})
