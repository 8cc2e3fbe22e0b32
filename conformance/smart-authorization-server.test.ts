import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { after, describe, mock, test } from 'node:test'
import { createLabKey, type LabKey, publicJwk } from '@scopegate/lab'
import { type Away, isAway, type Page } from './support/browser.ts'
import { type AssertionWish, clientAssertion, JWT_BEARER } from './support/client-assertion.ts'
import { authorizeInBrowser, codeOf, type LaunchWish } from './support/launch-app.ts'
import { browserOf, openSmartServer, type Person } from './support/open-smart-server.ts'
import {
  type AuthorizeRequest,
  createSmartApp,
  decodeJwt,
  type SmartApp,
} from './support/smart-app.ts'

// The cases of the authorization server, by their ids: what each request gets.
const OC = 'http://terminology.hl7.org/CodeSystem/observation-category'
const BASE = 'launch/patient openid fhirUser offline_access'
const SCOPE = `${BASE} patient/Patient.rs patient/Observation.rs`

const server = await openSmartServer()
after(() => server.close())
const person = await server.user()
const browser = browserOf(server)
const app = await server.app({ scopes: SCOPE })
const confidential = await server.app({ scopes: SCOPE, as: 'secret' })
const other = await server.app({ scopes: SCOPE, as: 'secret' })

const open = (request: AuthorizeRequest) => browserOf(server).open(request.url)

async function authorized(by: SmartApp = app, wish: Partial<LaunchWish> = {}, as: Person = person) {
  const request = by.authorize({ scope: SCOPE, ...wish })
  const away = await authorizeInBrowser(browser, request, as, { patient: 'patient-1', ...wish })
  return { request, code: codeOf(away, request) }
}

function errorOf(result: Page | Away): string | null {
  assert.ok(isAway(result), 'the app is told')
  assert.equal(result.away.searchParams.get('code'), null)
  return result.away.searchParams.get('error')
}

const launch = (by: SmartApp, scope: string, more: Partial<LaunchWish> = {}) =>
  server.launch(by, person, { scope, patient: 'patient-1', browser, ...more })

describe('S-01 PKCE is needed by every client, with S256', () => {
  const cases = {
    'no challenge': { code_challenge: undefined, code_challenge_method: undefined },
    'the method plain': { code_challenge_method: 'plain' },
    'no method, which means plain': { code_challenge_method: undefined },
  }
  for (const [name, set] of Object.entries(cases)) {
    for (const [kind, by] of Object.entries({ public: app, confidential })) {
      test(`${name}, ${kind} client`, async () => {
        assert.equal(errorOf(await open(by.authorize({ scope: SCOPE, set }))), 'invalid_request')
      })
    }
  }
})

describe('S-02 a code gets nothing without its verifier', () => {
  const cases: Record<string, (request: AuthorizeRequest) => string | undefined> = {
    wrong: () => `${randomUUID()}-${randomUUID()}`,
    blank: () => '',
    missing: () => undefined,
    'the challenge': ({ challenge }) => challenge,
  }
  for (const [name, verifierOf] of Object.entries(cases)) {
    test(`verifier: ${name}`, async () => {
      const { request, code } = await authorized()
      const set = { code_verifier: verifierOf(request) }
      const { status, json } = await app.exchange(code, request, { set })
      assert.equal(status, 400)
      assert.match(json.error ?? '', /^invalid_(grant|request)$/)
    })
  }
})

describe('S-04 a code is bound to its time, client and redirect URI', () => {
  test('it works at first', async () => {
    const { request, code } = await authorized()
    assert.equal((await app.exchange(code, request)).status, 200)
  })

  test('not after a minute', async () => {
    const { request, code } = await authorized()
    await server.timePasses(61)
    const { status, json } = await app.exchange(code, request)
    assert.equal(status, 400)
    assert.equal(json.error, 'invalid_grant')
  })

  test('not for another client', async () => {
    const { request, code } = await authorized(confidential)
    const { status, json } = await other.exchange(code, request, {
      set: { redirect_uri: confidential.redirectUri },
    })
    assert.equal(status, 400)
    assert.equal(json.error, 'invalid_grant')
  })

  test('not with another redirect URI, nor without one', async () => {
    for (const redirect_uri of [`${app.redirectUri}/`, other.redirectUri, undefined]) {
      const { request, code } = await authorized()
      const { status, json } = await app.exchange(code, request, { set: { redirect_uri } })
      assert.equal(status, 400)
      assert.match(json.error ?? '', /^invalid_(grant|request)$/)
    }
  })
})

describe('S-05 aud is required, and is the FHIR base', () => {
  for (const aud of [undefined, 'https://fhir.example/r4', `${server.url}/fhir/r5`, '']) {
    test(`aud ${aud === undefined ? 'missing' : `\`${aud.replace(server.url, '')}\``}: no code`, async () => {
      const error = errorOf(await open(app.authorize({ scope: SCOPE, set: { aud } })))
      assert.match(error ?? '', /^invalid_(request|target)$/)
    })
  }

  test('a trailing slash makes no difference', async () => {
    const { request, code } = await authorized(app, { set: { aud: `${server.fhirUrl}/` } })
    const { json } = await app.exchange(code, request)
    const { claims } = decodeJwt(json.access_token ?? '')
    assert.deepEqual([claims.aud].flat(), [server.fhirUrl])
    assert.equal((await server.fhir(json.access_token, 'Patient/patient-1')).status, 200)
  })
})

test('S-07 POST authorize is the same as GET', async () => {
  const { request, code } = await authorized(app, { byPost: true })
  const { status, json } = await app.exchange(code, request)
  assert.equal(status, 200)
  assert.equal(json.patient, 'patient-1')
})

describe('S-08 a launch handle is for its client, its user, once, for a short time', () => {
  const EHR = 'launch openid patient/Patient.rs'
  const withLaunch = async (handle: string, by = ehrApp) => {
    const request = by.authorize({ scope: EHR, launch: handle })
    const { away } = await authorizeInBrowser(browser, request, person, {})
    return away.searchParams
  }
  let ehrApp: SmartApp
  let otherEhrApp: SmartApp

  test('the right one gets its context', async () => {
    ehrApp = await server.app({ scopes: EHR })
    otherEhrApp = await server.app({ scopes: EHR })
    const handle = await server.ehrLaunch(ehrApp, person, { patient: 'patient-4' })
    const launched = await server.launch(ehrApp, person, { scope: EHR, launch: handle, browser })
    assert.equal(launched.token.patient, 'patient-4')

    assert.equal((await withLaunch(handle)).get('error'), 'invalid_request', 'twice')
  })

  test('one of another client, another user, too old, or made up is refused', async () => {
    const stranger = await server.user()
    const forOther = await server.ehrLaunch(otherEhrApp, person, { patient: 'patient-4' })
    const forStranger = await server.ehrLaunch(ehrApp, stranger, { patient: 'patient-4' })
    const old = await server.ehrLaunch(ehrApp, person, { patient: 'patient-4' })
    await server.timePasses(301)
    const cases = { forOther, old, invented: `sgl_${'x'.repeat(32)}`, forStranger }
    for (const [name, handle] of Object.entries(cases)) {
      const params = await withLaunch(handle)
      assert.equal(params.get('code'), null, name)
      assert.equal(params.get('error'), 'invalid_request', name)
    }
  })

  test('one of another client is not used up by the attempt', async () => {
    const handle = await server.ehrLaunch(otherEhrApp, person, { patient: 'patient-4' })
    assert.equal((await withLaunch(handle)).get('error'), 'invalid_request')
    const launched = await server.launch(otherEhrApp, person, {
      scope: EHR,
      launch: handle,
      browser,
    })
    assert.equal(launched.token.patient, 'patient-4')
  })

  test('base64 of JSON, as foreign launchers write it, is refused by default', async () => {
    const written = Buffer.from(JSON.stringify({ patient: 'patient-4' })).toString('base64url')
    assert.equal((await withLaunch(written)).get('error'), 'invalid_request')
  })
})

test('S-10 categories chosen at the consent replace the resource-level scope', async () => {
  const { token } = await launch(app, SCOPE, {
    consent: { narrow: { 'patient/Observation.rs': (scope) => scope.includes('laboratory') } },
  })
  const clinical = token.scope?.split(' ').filter((scope) => scope.includes('/Observation'))
  assert.deepEqual(clinical, [`patient/Observation.rs?category=${OC}|laboratory`])
})

describe('what is granted is the meet of what was asked and what is registered', () => {
  const LAB = `patient/Observation.rs?category=${OC}|laboratory`
  const cases = [
    ['S-11 a narrower registration narrows', LAB, 'patient/Observation.rs', LAB],
    [
      'S-13 letters are met',
      'patient/Observation.rs',
      'patient/Observation.cruds',
      'patient/Observation.rs',
    ],
    [
      'S-14 malformed letters are dropped',
      'patient/*.cruds',
      'patient/Patient.rs patient/Observation.dus',
      'patient/Patient.rs',
    ],
    [
      'S-14 an unknown parameter is dropped',
      'patient/*.cruds',
      'patient/Patient.rs patient/Observation.rs?nonsense=1',
      'patient/Patient.rs',
    ],
    ['a wildcard meets a type', 'patient/Observation.rs', 'patient/*.rs', 'patient/Observation.rs'],
    [
      'constraints of both hold at once',
      `patient/Patient.rs ${LAB}`,
      'patient/Patient.rs patient/Observation.rs?status=final',
      `patient/Patient.rs patient/Observation.rs?status=final&category=${OC}|laboratory`,
    ],
  ] as const
  for (const [name, registered, requested, expected] of cases) {
    test(name, async () => {
      const by = await server.app({ scopes: `${BASE} ${registered}` })
      const { token } = await launch(by, `${BASE} ${requested}`)
      const clinical = token.scope?.split(' ').filter((scope) => scope.includes('.'))
      assert.deepEqual(clinical?.toSorted(), expected.split(' ').toSorted())
    })
  }

  test('66 system/ never comes out of a user flow, also of a client that may have it', async () => {
    const by = await server.app({
      scopes: `${BASE} patient/Patient.rs system/Patient.rs`,
      as: 'secret',
      grants: ['authorization_code', 'refresh_token', 'client_credentials'],
    })
    const { token } = await launch(by, `${BASE} patient/Patient.rs system/Patient.rs`)
    assert.doesNotMatch(token.scope ?? '', /system/)
    const { json } = await by.clientCredentials('system/Patient.rs')
    assert.equal(json.scope, 'system/Patient.rs')
  })

  test('when nothing clinical is left, the app is told', async () => {
    const by = await server.app({ scopes: 'launch/patient patient/Patient.rs' })
    const request = by.authorize({ scope: 'launch/patient patient/Observation.rs' })
    const { away } = await authorizeInBrowser(browser, request, person, { patient: 'patient-1' })
    assert.equal(away.searchParams.get('code'), null)
    assert.match(away.searchParams.get('error') ?? '', /^(invalid_scope|access_denied)$/)
  })
})

describe('S-16 a refresh keeps or narrows, never widens', () => {
  const LAB = `patient/Observation.rs?category=${OC}|laboratory`
  const cases = [
    ['without scope: the same', undefined, 200, undefined],
    ['a subset', 'patient/Patient.rs', 200, 'patient/Patient.rs'],
    ['a superset', `${SCOPE} patient/Condition.rs`, 400, undefined],
    ['more letters', 'patient/Observation.cruds', 400, undefined],
    ['granular within resource-level', LAB, 200, LAB],
    ['fewer letters', 'patient/Observation.r', 200, 'patient/Observation.r'],
  ] as const
  for (const [name, scope, status, expected] of cases) {
    test(name, async () => {
      const { token } = await launch(app, SCOPE)
      const answer = await app.refresh(token.refresh_token ?? '', { set: { scope } })
      assert.equal(answer.status, status, JSON.stringify(answer.json))
      if (status === 400) return assert.equal(answer.json.error, 'invalid_scope')
      assert.equal(answer.json.scope, expected ?? token.scope)
      assert.equal(answer.json.patient, 'patient-1')
      // The next refresh has the whole grant again.
      const next = await app.refresh(answer.json.refresh_token ?? '')
      assert.equal(next.json.scope, token.scope)
    })
  }
})

describe('S-17 a refresh token is for its client, and rotates', () => {
  test('another client is refused, and the family lives', async () => {
    const { token } = await launch(confidential, SCOPE)
    const stolen = await other.refresh(token.refresh_token ?? '')
    assert.equal(stolen.status, 400)
    assert.equal(stolen.json.error, 'invalid_grant')
    assert.equal((await confidential.refresh(token.refresh_token ?? '')).status, 200)
  })

  test('a rotated token, reused late, ends the whole family', async () => {
    const { token } = await launch(app, SCOPE)
    const first = await app.refresh(token.refresh_token ?? '')
    assert.equal(first.status, 200)
    assert.notEqual(first.json.refresh_token, token.refresh_token)
    await server.timePasses(11)
    const replayed = await app.refresh(token.refresh_token ?? '')
    assert.equal(replayed.status, 400)
    assert.equal(replayed.json.error, 'invalid_grant')
    assert.equal((await app.refresh(first.json.refresh_token ?? '')).status, 400)
    assert.equal((await server.fhir(first.json.access_token, 'Patient/patient-1')).status, 401)
  })
})

describe('S-19 an assertion that is not good in every point gets invalid_client', async () => {
  const client = await server.app({
    scopes: 'system/Patient.rs',
    as: 'RS384',
    grants: ['client_credentials'],
  })
  const key = client.key!
  const now = () => Math.floor(Date.now() / 1000)
  const twins = createLabKey('RS384')
  const send = (client_assertion: string, by: SmartApp = client) =>
    by.clientCredentials('system/Patient.rs', {
      set: { client_assertion, client_assertion_type: JWT_BEARER },
    })
  const good = (wish?: AssertionWish) =>
    clientAssertion({ clientId: client.clientId, key }, server.tokenUrl, wish)

  test('a good one gets a token', async () => {
    assert.equal((await send(good())).status, 200)
  })

  const cases: Record<string, () => string> = {
    'exp more than five minutes ahead': () => good({ claims: { exp: now() + 600 } }),
    'no exp': () => good({ claims: { exp: undefined } }),
    expired: () => good({ claims: { exp: now() - 120 } }),
    'iat in the future': () => good({ claims: { iat: now() + 600 } }),
    'wrong aud': () => good({ claims: { aud: 'https://evil.example/token' } }),
    'no aud': () => good({ claims: { aud: undefined } }),
    'iss is not sub': () => good({ claims: { iss: 'somebody' } }),
    'no sub': () => good({ claims: { sub: undefined } }),
    'no jti': () => good({ claims: { jti: undefined } }),
    'unknown kid': () => good({ header: { kid: 'nope' } }),
    'no kid': () => good({ header: { kid: undefined } }),
    "another client's key": () => good({ signWith: twins }),
    'jku that is not registered': () => good({ header: { jku: 'https://evil.example/jwks' } }),
    'alg none': () => {
      const [, claims] = good().split('.')
      const header = { alg: 'none', typ: 'JWT', kid: key.kid }
      return `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${claims}.`
    },
    'HS256 with the public key': () => good({ header: { alg: 'HS256' } }),
    'unknown crit': () => good({ header: { crit: ['x'], x: 1 } }),
  }
  for (const [name, assertion] of Object.entries(cases)) {
    test(name, async () => {
      const { status, json } = await send(assertion())
      assert.ok([400, 401].includes(status), String(status))
      assert.equal(json.error, 'invalid_client')
      assert.equal(json.access_token, undefined)
    })
  }

  test('iat is not needed', async () => {
    assert.equal((await send(good({ claims: { iat: undefined } }))).status, 200)
  })

  test('a replayed jti', async () => {
    const assertion = good()
    assert.equal((await send(assertion)).status, 200)
    assert.equal((await send(assertion)).json.error, 'invalid_client')
  })

  test('two keys with the same kid are not registered', async () => {
    const keys = [publicJwk(key), { ...publicJwk(twins), kid: key.kid }]
    const answer = await server.adminCall('POST', '/clients', {
      name: 'twins',
      scopes: 'system/Patient.rs',
      grants: ['client_credentials'],
      jwks: { keys },
    })
    assert.equal(answer.status, 400)
  })
})

describe('S-20 a key set behind a URL is cached as it says, and fetched anew for an unknown kid', () => {
  let keys: LabKey[] = [createLabKey('ES384')]
  let fetches = 0
  const keyServer = createServer((_request, response) => {
    fetches += 1
    response.writeHead(200, {
      'content-type': 'application/json',
      'cache-control': 'public, max-age=60',
    })
    response.end(JSON.stringify({ keys: keys.map(publicJwk) }))
  })
  after(() => {
    mock.timers.reset()
    keyServer.close()
  })

  test('rotation, cache, removal', async () => {
    await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve))
    const { port } = keyServer.address() as { port: number }
    const { client_id: clientId } = await server.admin<{ client_id: string }>('POST', '/clients', {
      name: 'rotating',
      scopes: 'system/Patient.rs',
      grants: ['client_credentials'],
      jwks_uri: `http://127.0.0.1:${port}/jwks.json`,
    })
    const ask = async (key: LabKey) => {
      const { tokenUrl, fhirUrl, authorizeUrl } = server
      const by = createSmartApp(
        { clientId, redirectUri: '', key },
        { tokenUrl, fhirUrl, authorizeUrl },
      )
      return (await by.clientCredentials('system/Patient.rs')).status
    }
    const [former, next] = [keys[0]!, createLabKey('ES384')]
    assert.equal(await ask(former), 200)
    assert.equal(await ask(former), 200)
    assert.equal(fetches, 1, 'kept as long as Cache-Control says')

    mock.timers.enable({ apis: ['Date'], now: Date.now() + 45_000 })
    keys = [next]
    assert.equal(await ask(next), 200, 'an unknown kid is looked for at once')
    mock.timers.setTime(Date.now() + 61_000)
    assert.equal(await ask(former), 401, 'a removed key is refused when the cache has ended')
  })
})

test('S-22 backend services: no refresh token, five minutes at most', async () => {
  const client = await server.app({
    scopes: 'system/Patient.rs',
    as: 'ES384',
    grants: ['client_credentials'],
  })
  const { json } = await client.clientCredentials('system/Patient.rs')
  assert.equal(json.refresh_token, undefined)
  assert.equal(json.id_token, undefined)
  assert.ok((json.expires_in ?? Infinity) <= 300)
})

describe('S-23 introspection', async () => {
  const url = server.configuration.introspection_endpoint
  const { token, accessToken } = await launch(confidential, SCOPE)

  test('the client that has the token sees all of it', async () => {
    const { json } = await confidential.post(url, { token: accessToken })
    const body = json as Record<string, unknown>
    assert.equal(body.active, true)
    assert.equal(body.scope, token.scope)
    assert.equal(body.patient, 'patient-1')
    assert.equal(body.client_id, confidential.clientId)
    assert.equal(body.sub, person.id)
    assert.equal(body.iss, server.url)
    assert.match(String(body.fhirUser), /Practitioner\/pract-1$/)
  })

  test('unknown, foreign and ended tokens are inactive, and no more is said', async () => {
    const foreign = clientAssertion(
      { clientId: 'x', key: createLabKey('RS256') },
      'https://elsewhere.example',
    )
    const ended = await launch(confidential, SCOPE)
    await confidential.post(server.configuration.revocation_endpoint, { token: ended.accessToken })
    for (const each of ['nope', foreign, ended.accessToken]) {
      const { status, json } = await confidential.post(url, { token: each })
      assert.equal(status, 200)
      assert.deepEqual(json, { active: false })
    }
  })

  test('without authentication: 401; a public client may not ask', async () => {
    const nobody = await confidential.post(url, { token: accessToken }, { anonymous: true })
    assert.equal(nobody.status, 401)
    const { status, json } = await app.post(url, { token: accessToken })
    assert.ok(status === 401 || (json as { active?: boolean }).active === false)
  })
})

test('S-25 the ID token: RS256, kid, absolute fhirUser, aud, nonce', async () => {
  const { token, request } = await launch(app, SCOPE)
  const { header, claims } = decodeJwt(token.id_token ?? '')
  assert.equal(header.alg, 'RS256')
  assert.equal(typeof header.kid, 'string')
  assert.equal(claims.fhirUser, `${server.fhirUrl}/Practitioner/pract-1`)
  assert.deepEqual([claims.aud].flat(), [app.clientId])
  assert.equal(claims.nonce, request.nonce)
  assert.equal(claims.sub, person.id)
})

describe('S-26 token responses are not cached, and only registered origins may read them', () => {
  for (const [name, origin, allowed] of [
    ['the origin of the app', new URL(app.redirectUri).origin, true],
    ['another origin', 'https://evil.example', false],
    ['null', 'null', false],
  ] as const) {
    test(name, async () => {
      const { request, code } = await authorized()
      const { status, headers } = await app.exchange(code, request, { headers: { origin } })
      assert.match(headers.get('cache-control') ?? '', /no-store/)
      assert.match(headers.get('pragma') ?? '', /no-cache/)
      assert.equal(headers.get('access-control-allow-origin'), allowed ? origin : null)
      assert.equal(headers.get('access-control-allow-credentials'), null)
      if (allowed) assert.equal(status, 200)
    })
  }
})

test('S-28 forty granular scopes: the token fits a header, and stands for all of them', async () => {
  const many = Array.from(
    { length: 40 },
    (_, index) =>
      `patient/Observation.rs?category=${OC}|laboratory&code=http://loinc.org|${10_000 + index}-${index % 10}&status=final`,
  )
  const scope = `${BASE} patient/Patient.rs ${many.join(' ')}`
  const by = await server.app({ scopes: `${BASE} patient/*.rs`, as: 'secret' })
  const { token, accessToken } = await launch(by, scope, { byPost: true })
  assert.ok(accessToken.length < 4096, `${accessToken.length} characters`)
  const granted = token.scope?.split(' ') ?? []
  assert.equal(granted.filter((each) => each.includes('code=')).length, 40)
  const { json } = await by.post(server.configuration.introspection_endpoint, {
    token: accessToken,
  })
  assert.deepEqual(json.scope?.split(' ').toSorted(), granted.toSorted())
  assert.equal((await server.fhir(accessToken, 'Patient/patient-1')).status, 200)
  assert.equal((await server.fhir(accessToken, 'Condition')).status, 403)
})
