import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { createLabKey } from '@scopegate/lab'
import { isAway } from './support/browser.ts'
import { clientAssertion, JWT_BEARER } from './support/client-assertion.ts'
import { dpopProof, type ProofWish } from './support/dpop-proof.ts'
import { visitAuthorizeUrl } from './support/launch-app.ts'
import { browserOf, openSmartServer } from './support/open-smart-server.ts'
import { createSmartApp, decodeJwt, type SmartApp } from './support/smart-app.ts'

// Statements 38 … 56 of the security checklist: who a client is, DPoP, PAR, registration, CORS.
const SCOPE = 'launch/patient openid fhirUser offline_access patient/Patient.rs'
const SYSTEM = 'system/Patient.rs'

const server = await openSmartServer()
after(() => server.close())
const person = await server.user()
const browser = browserOf(server)
const endpoints = {
  tokenUrl: server.tokenUrl,
  fhirUrl: server.fhirUrl,
  authorizeUrl: server.authorizeUrl,
}
const machine = await server.app({ scopes: SYSTEM, as: 'secret', grants: ['client_credentials'] })
const keyed = await server.app({ scopes: SYSTEM, as: 'RS384', grants: ['client_credentials'] })
const openid = (await (
  await fetch(`${server.url}/.well-known/openid-configuration`)
).json()) as Record<string, string>

describe('39 who a client is not, is not told apart', () => {
  test('an unknown client and a wrong secret get the same answer', async () => {
    const wrong = createSmartApp({ ...machine, secret: 'x'.repeat(40) }, endpoints)
    const unknown = createSmartApp({ ...wrong, clientId: 'nobody-knows-me' }, endpoints)
    const [one, two] = [
      await wrong.clientCredentials(SYSTEM),
      await unknown.clientCredentials(SYSTEM),
    ]
    assert.equal(one.status, 401)
    assert.equal(two.status, one.status)
    assert.equal(two.json.error, one.json.error)
    assert.equal(two.json.error_description, one.json.error_description)
    assert.match(one.headers.get('www-authenticate') ?? '', /^Basic/)
  })
})

describe('40 one mechanism per request', () => {
  const both = {
    'Basic and a secret in the body': {
      client_id: machine.clientId,
      client_secret: machine.secret,
    },
    'Basic and an assertion': {
      client_assertion_type: JWT_BEARER,
      client_assertion: clientAssertion(
        { clientId: keyed.clientId, key: keyed.key! },
        server.tokenUrl,
      ),
    },
  }
  for (const [name, set] of Object.entries(both)) {
    test(name, async () => {
      const { status, json } = await machine.clientCredentials(SYSTEM, { set })
      assert.ok([400, 401].includes(status))
      assert.match(json.error ?? '', /^invalid_(request|client)$/)
      assert.equal(json.access_token, undefined)
    })
  }
})

describe('46 a public client is no confidential one', () => {
  test('it gets nothing by client credentials, registered or not', async () => {
    const app = await server.app({ scopes: SCOPE })
    const { status, json } = await app.clientCredentials(SYSTEM)
    assert.ok([400, 401].includes(status))
    assert.equal(json.access_token, undefined)
    const answer = await server.adminCall('POST', '/clients', {
      name: 'both',
      public: true,
      grants: ['client_credentials'],
      scopes: SYSTEM,
    })
    assert.equal(answer.status, 400)
  })

  test('one that shows a secret is refused', async () => {
    const app = await server.app({ scopes: SCOPE })
    const { token } = await server.launch(app, person, {
      scope: SCOPE,
      patient: 'patient-1',
      browser,
    })
    const posing = createSmartApp({ ...app, secret: 'anything at all' }, endpoints)
    const { status } = await posing.refresh(token.refresh_token ?? '')
    assert.ok([400, 401].includes(status))
  })
})

describe('47 secrets change with an overlap', () => {
  test('both work, then the new one only', async () => {
    const app = await server.app({ scopes: SYSTEM, as: 'secret', grants: ['client_credentials'] })
    const rotate = async (overlap_seconds: number) => {
      const path = `/clients/${app.clientId}/secret`
      const made = await server.admin<{ client_secret: string }>('POST', path, { overlap_seconds })
      return createSmartApp({ ...app, secret: made.client_secret }, endpoints)
    }
    const statusOf = async (by: SmartApp) => (await by.clientCredentials(SYSTEM)).status
    const second = await rotate(3600)
    assert.deepEqual([await statusOf(app), await statusOf(second)], [200, 200])
    const third = await rotate(0)
    assert.deepEqual([await statusOf(app), await statusOf(second)], [401, 401])
    assert.equal(await statusOf(third), 200)
    const shown = await server.adminCall('GET', `/clients/${app.clientId}`)
    assert.doesNotMatch(await shown.text(), /client_secret"/)
  })
})

describe('44, 45 key sets', () => {
  const register = (members: object) =>
    server.adminCall('POST', '/clients', {
      name: 'keys',
      scopes: SYSTEM,
      grants: ['client_credentials'],
      ...members,
    })

  test('a private key is not taken', async () => {
    assert.equal((await register({ jwks: { keys: [createLabKey('ES384')] } })).status, 400)
  })

  test('a URL without TLS elsewhere than on loopback is not taken', async () => {
    assert.equal((await register({ jwks_uri: 'http://keys.example/jwks.json' })).status, 400)
    assert.equal((await register({ jwks_uri: 'file:///etc/passwd' })).status, 400)
  })
})

describe('49, 50 DPoP', async () => {
  const key = createLabKey('ES256')
  const app = await server.app({ scopes: SCOPE, set: { dpop_bound_access_tokens: true } })
  const request = app.authorize({ scope: SCOPE })
  const callback = await visitAuthorizeUrl(request.url, person, { patient: 'patient-1', browser })
  const code = callback.searchParams.get('code') ?? ''
  const tokenProof = (wish?: ProofWish) => dpopProof(key, 'POST', server.tokenUrl, wish)
  const resource = `${server.fhirUrl}/Patient/patient-1`
  const without = await app.exchange(code, request)
  const bound = await app.exchange(code, request, { headers: { dpop: tokenProof() } })
  const accessToken = bound.json.access_token ?? ''
  const ath = createHash('sha256').update(accessToken).digest('base64url')

  const readWith = (headers: Record<string, string>) => fetch(resource, { headers })
  const read = (dpop: string) => readWith({ authorization: `DPoP ${accessToken}`, dpop })
  const good = (wish: ProofWish = {}) =>
    dpopProof(key, 'GET', resource, { ...wish, claims: { ath, ...wish.claims } })

  test('53 a client that is bound to it gets nothing without a proof', () => {
    assert.equal(without.status, 400)
    assert.match(without.json.error ?? '', /^(invalid_dpop_proof|invalid_grant|invalid_request)$/)
  })

  test('with one it gets a token of the type DPoP, bound to the key', () => {
    assert.equal(bound.status, 200, JSON.stringify(bound.json))
    assert.equal(bound.json.token_type, 'DPoP')
    const { cnf } = decodeJwt(accessToken).claims as { cnf?: { jkt?: string } }
    assert.equal(cnf?.jkt, key.kid)
  })

  test('a good proof reads, once', async () => {
    const dpop = good()
    assert.equal((await read(dpop)).status, 200)
    assert.equal((await read(dpop)).status, 401, 'replayed')
  })

  test('as Bearer, or without a proof: 401 with a DPoP challenge', async () => {
    for (const headers of [
      { authorization: `Bearer ${accessToken}` },
      { authorization: `DPoP ${accessToken}` },
    ]) {
      const response = await readWith(headers as Record<string, string>)
      assert.equal(response.status, 401)
      assert.match(response.headers.get('www-authenticate') ?? '', /DPoP/)
    }
  })

  const other = createLabKey('ES256')
  const now = Math.floor(Date.now() / 1000)
  const wrong: Record<string, () => string> = {
    'another method': () => good({ claims: { htm: 'POST' } }),
    'another address': () => good({ claims: { htu: `${server.fhirUrl}/Patient/patient-2` } }),
    'another host': () =>
      good({ claims: { htu: 'https://evil.example/fhir/r4/Patient/patient-1' } }),
    'another token': () => good({ claims: { ath: 'x'.repeat(43) } }),
    'no token': () => good({ claims: { ath: undefined } }),
    'an old one': () => good({ claims: { iat: now - 3600 } }),
    'one from the future': () => good({ claims: { iat: now + 3600 } }),
    'another key': () => dpopProof(other, 'GET', resource, { claims: { ath } }),
    'another type': () => good({ header: { typ: 'JWT' } }),
    'no jti': () => good({ claims: { jti: undefined } }),
    'a private key in the header': () => good({ header: { jwk: key } }),
    'a signature by another key': () => good({ signWith: other }),
  }
  for (const [name, make] of Object.entries(wrong)) {
    test(`${name}: 401`, async () => {
      assert.equal((await read(make())).status, 401)
    })
  }

  test('50 a refresh with another key gets nothing, and with its own a token', async () => {
    const refreshToken = bound.json.refresh_token ?? ''
    const stolen = await app.refresh(refreshToken, {
      headers: { dpop: dpopProof(other, 'POST', server.tokenUrl) },
    })
    assert.equal(stolen.status, 400)
    assert.match(stolen.json.error ?? '', /^invalid_(grant|dpop_proof)$/)
    const own = await app.refresh(refreshToken, { headers: { dpop: tokenProof() } })
    assert.equal(own.status, 200, JSON.stringify(own.json))
  })
})

describe('52, 53 pushed authorization requests', async () => {
  const app = await server.app({ scopes: SCOPE, as: 'secret' })
  const other = await server.app({ scopes: SCOPE, as: 'secret' })
  const par = openid.pushed_authorization_request_endpoint ?? ''
  const push = async (set: Record<string, string> = {}) => {
    const request = app.authorize({ scope: SCOPE })
    const answer = await app.post(par, { ...Object.fromEntries(request.params), ...set })
    return { request, answer, body: answer.json as { request_uri?: string; expires_in?: number } }
  }
  const urlOf = (request_uri = '', more: Record<string, string> = {}) =>
    `${server.authorizeUrl}?${new URLSearchParams({ client_id: app.clientId, request_uri, ...more })}`

  test('one works once, for a minute at most; what else is in the address is ignored', async () => {
    const { request, answer, body } = await push()
    assert.equal(answer.status, 201)
    assert.match(answer.headers.get('cache-control') ?? '', /no-store/)
    assert.ok((body.expires_in ?? Infinity) <= 60)
    const url = urlOf(body.request_uri, {
      scope: 'openid',
      state: 'changed',
      redirect_uri: 'https://evil.example/',
    })
    const callback = await visitAuthorizeUrl(url, person, { patient: 'patient-1', browser })
    assert.equal(callback.searchParams.get('state'), request.state)
    const code = callback.searchParams.get('code') ?? ''
    const { json } = await app.exchange(code, request)
    assert.equal(json.patient, 'patient-1')

    const again = await browser.open(urlOf(body.request_uri))
    if (isAway(again)) assert.equal(again.away.searchParams.get('code'), null)
    else assert.ok(again.status >= 400)
  })

  test('not after its time', async () => {
    const { body } = await push()
    await server.timePasses(61)
    const late = await browser.open(urlOf(body.request_uri))
    if (isAway(late)) assert.equal(late.away.searchParams.get('code'), null)
    else assert.ok(late.status >= 400)
  })

  test('not for another client', async () => {
    const { body } = await push()
    const foreign = await browser.open(urlOf(body.request_uri, { client_id: other.clientId }))
    if (isAway(foreign)) assert.equal(foreign.away.searchParams.get('code'), null)
    else assert.ok(foreign.status >= 400)
  })

  test('a wrong aud or redirect URI is refused when it is pushed', async () => {
    for (const set of [
      { aud: 'https://evil.example/fhir' },
      { redirect_uri: 'https://evil.example/' },
    ]) {
      const { answer } = await push(set)
      assert.equal(answer.status, 400)
    }
  })

  test('a client that must push cannot do without', async () => {
    const strict = await server.app({
      scopes: SCOPE,
      as: 'secret',
      set: { require_pushed_authorization_requests: true },
    })
    const result = await browserOf(server).open(strict.authorize({ scope: SCOPE }).url)
    if (isAway(result)) assert.equal(result.away.searchParams.get('error'), 'invalid_request')
    else assert.ok(result.status >= 400)
  })
})

describe('54, 55 a client cannot be registered with what is dangerous', () => {
  const cases: Record<string, object> = {
    'http elsewhere than on loopback': { redirect_uris: ['http://app.example/cb'] },
    'a wildcard': { redirect_uris: ['https://*.app.example/cb'] },
    'a fragment': { redirect_uris: ['https://app.example/cb#x'] },
    'a script': { redirect_uris: ['javascript:alert(1)'] },
    data: { redirect_uris: ['data:text/html,x'] },
    'a user in the address': { redirect_uris: ['https://user@app.example/cb'] },
    'a logo that is a script': { logo_uri: 'javascript:alert(1)' },
    'a site that is a script': { client_uri: 'javascript:alert(1)' },
    'an origin that is all': { origins: ['*'] },
    'the origin null': { origins: ['null'] },
  }
  for (const [name, members] of Object.entries(cases)) {
    test(name, async () => {
      const answer = await server.adminCall('POST', '/clients', {
        name: 'bad',
        scopes: SCOPE,
        public: true,
        grants: ['authorization_code'],
        redirect_uris: ['https://app.example/cb'],
        ...members,
      })
      assert.equal(answer.status, 400, await answer.text())
    })
  }

  test('66a an id that could be one of a user', async () => {
    const answer = await server.adminCall('POST', '/clients', {
      client_id: person.id,
      name: 'posing',
      scopes: SYSTEM,
      grants: ['client_credentials'],
    })
    assert.ok(answer.status >= 400 && answer.status < 500)
  })
})

describe('56 preflights', async () => {
  const app = await server.app({ scopes: SCOPE })
  const { origin } = new URL(app.redirectUri)
  const preflight = (url: string, from: string, method = 'POST') =>
    fetch(url, {
      method: 'OPTIONS',
      headers: {
        origin: from,
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization,content-type',
      },
    })

  test('FHIR and token endpoints answer the origin of a registered app', async () => {
    for (const [url, method] of [
      [server.tokenUrl, 'POST'],
      [`${server.fhirUrl}/Patient/patient-1`, 'GET'],
    ] as const) {
      const response = await preflight(url, origin, method)
      assert.ok(response.ok, url)
      assert.ok(['*', origin].includes(response.headers.get('access-control-allow-origin') ?? ''))
      const allowed = response.headers.get('access-control-allow-headers') ?? ''
      assert.match(allowed, /authorization/i)
      assert.equal(response.headers.get('access-control-allow-credentials'), null)
    }
  })

  test('the pages and the admin API answer none', async () => {
    for (const url of [
      `${server.url}/account`,
      `${server.adminUrl}/clients`,
      server.authorizeUrl,
    ]) {
      const response = await preflight(url, origin, 'GET')
      assert.equal(response.headers.get('access-control-allow-origin'), null, url)
    }
  })
})
