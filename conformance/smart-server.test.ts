import assert from 'node:assert/strict'
import { createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { after, describe, test } from 'node:test'
import { revokeAll } from './support/account.ts'
import { isAway } from './support/browser.ts'
import { clientAssertion, JWT_BEARER } from './support/client-assertion.ts'
import { authorizeInBrowser, visitAuthorizeUrl } from './support/launch-app.ts'
import { browserOf, openSmartServer } from './support/open-smart-server.ts'
import { decodeJwt } from './support/smart-app.ts'

// Statements 54 and 57 … 71 of the security checklist: the server, its keys, scopes, what it records.
const BASE = 'launch/patient openid fhirUser offline_access'
const SCOPE = `${BASE} patient/Patient.rs patient/Observation.rs`

const server = await openSmartServer()
after(() => server.close())
const person = await server.user()
const browser = browserOf(server)
const app = await server.app({ scopes: `${BASE} patient/*.cruds user/*.rs`, as: 'secret' })
const machine = await server.app({
  scopes: 'system/*.rs',
  as: 'RS384',
  grants: ['client_credentials'],
})

const launch = (scope = SCOPE, by = app) =>
  server.launch(by, person, { scope, patient: 'patient-1', browser })

interface RawAnswer {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: string
}

/** A request with headers that `fetch` would set itself. */
function raw(
  url: string,
  headers: Record<string, string>,
  { method = 'GET', body = '' } = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      )
    })
    request.on('error', reject)
    request.end(body)
  })
}

describe('57 what a request says of the host changes nothing', () => {
  const spoofs: Record<string, Record<string, string>> = {
    Host: { host: 'evil.example' },
    'X-Forwarded-Host': { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    Forwarded: { forwarded: 'host=evil.example;proto=https' },
  }
  for (const [name, headers] of Object.entries(spoofs)) {
    test(`${name}: discovery, redirects and pages keep their addresses`, async () => {
      const addresses = [
        `${server.url}/.well-known/openid-configuration`,
        `${server.fhirUrl}/.well-known/smart-configuration`,
        app.authorize({ scope: SCOPE }).url,
        app.authorize({ scope: SCOPE, set: { response_type: 'token' } }).url,
        `${server.url}/account`,
      ]
      for (const address of addresses) {
        const answer = await raw(address, headers)
        const told = `${JSON.stringify(answer.headers)}${answer.body}`
        assert.ok(!told.includes('evil.example'), new URL(address).pathname)
      }
    })

    test(`42 ${name}: an assertion for the spoofed audience is refused`, async () => {
      const aud = server.tokenUrl.replace(server.url, 'http://evil.example')
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        scope: 'system/Patient.rs',
        client_assertion_type: JWT_BEARER,
        client_assertion: clientAssertion({ clientId: machine.clientId, key: machine.key! }, aud),
      }).toString()
      const answer = await raw(
        server.tokenUrl,
        { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        { method: 'POST', body },
      )
      assert.ok([400, 401, 421].includes(answer.status), String(answer.status))
      assert.ok(!answer.body.includes('access_token'))
    })
  }
})

describe('59, 60 keys', () => {
  const keySet = async () => {
    const text = await (await fetch(server.configuration.jwks_uri)).text()
    return { text, keys: (JSON.parse(text) as { keys: (JsonWebKey & { kid: string })[] }).keys }
  }

  test('60 the key set holds public keys only', async () => {
    for (const key of (await keySet()).keys) {
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'oth']) {
        assert.ok(!(secret in key), secret)
      }
    }
  })

  test('59 a rotation breaks no token, ID tokens included', async () => {
    const before = await launch()
    await server.admin('POST', '/keys/rotate', {}).catch(() => server.admin('POST', '/keys/rotate'))
    const after = await launch()
    for (const { token, accessToken } of [before, after]) {
      assert.equal((await server.fhir(accessToken, 'Patient/patient-1')).status, 200)
      const { header } = decodeJwt(token.id_token ?? '')
      const jwk = (await keySet()).keys.find(({ kid }) => kid === header.kid)
      assert.ok(jwk, 'the key of the ID token is published')
      const [signed, signature] = [
        token.id_token!.slice(0, token.id_token!.lastIndexOf('.')),
        token.id_token!.split('.')[2]!,
      ]
      const key = createPublicKey({ key: jwk, format: 'jwk' })
      assert.ok(verify('sha256', Buffer.from(signed), key, Buffer.from(signature, 'base64url')))
    }
    const refreshed = await app.refresh(before.token.refresh_token ?? '')
    assert.equal(refreshed.status, 200)
  })
})

describe('63 what is not offered is refused', () => {
  for (const grant_type of [
    'urn:ietf:params:oauth:grant-type:token-exchange',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'urn:openid:params:grant-type:ciba',
    'password',
    'implicit',
  ]) {
    test(`the grant ${grant_type}`, async () => {
      const { accessToken } = await launch()
      const { status, json } = await app.post(server.tokenUrl, {
        grant_type,
        subject_token: accessToken,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        username: person.username,
        password: person.password,
      })
      assert.equal(status, 400)
      assert.equal(json.error, 'unsupported_grant_type')
    })
  }
})

describe('64, 65, 66 scopes are never widened', () => {
  const malformed = [
    'patient/Observation.dus',
    'patient/Observation.sr',
    'patient/Observation.xyz',
    'patient/observation.rs',
    'patient/',
    'patient/Observation',
    'patient/Observation.',
    'patient/Observation.rs?',
    'patient/Observation.rs?nonsense=1',
    'patient/Observation.readwrite',
    'patient/Observaton.rs',
    'Patient/Observation.rs',
    '*/*.*',
  ]
  test('64 a malformed scope is dropped, and the others are granted', async () => {
    const { token } = await launch(`${BASE} patient/Patient.rs ${malformed.join(' ')}`)
    const clinical = token.scope?.split(' ').filter((scope) => /[./*?]/.test(scope))
    assert.deepEqual(clinical?.toSorted(), ['launch/patient', 'patient/Patient.rs'])
  })

  for (const [scope, letters] of [
    ['patient/Observation.read', 'rs'],
    ['patient/Observation.write', 'cud'],
    ['patient/Observation.*', 'cruds'],
  ] as const) {
    test(`64 ${scope} is ${letters}`, async () => {
      const { accessToken } = await launch(`${BASE} patient/Patient.rs ${scope}`)
      const search = await server.fhir(accessToken, 'Observation?_count=1')
      assert.equal(search.status, letters.includes('s') ? 200 : 403)
      const write = await server.fhir(accessToken, 'Observation', {
        method: 'POST',
        headers: { 'content-type': 'application/fhir+json' },
        body: JSON.stringify({
          resourceType: 'Observation',
          status: 'final',
          code: { text: 'x' },
          subject: { reference: 'Patient/patient-1' },
        }),
      })
      assert.equal(write.status, letters.includes('c') ? 201 : 403)
    })
  }

  test('65 a patient scope never comes without a patient', async () => {
    const request = app.authorize({ scope: 'openid patient/Patient.rs' })
    const { away } = await authorizeInBrowser(browser, request, person, { patient: 'patient-1' })
    const code = away.searchParams.get('code')
    if (code === null) return
    const { json } = await app.exchange(code, request)
    const hasScope = json.scope?.includes('patient/') ?? false
    assert.equal(hasScope, json.patient !== undefined)
    if (hasScope)
      assert.equal((await server.fhir(json.access_token, 'Patient/patient-2')).status, 404)
  })

  test('66 nothing for users comes out of client credentials', async () => {
    for (const scope of [
      'user/*.rs',
      'patient/*.rs',
      'openid',
      'launch/patient',
      'offline_access',
    ]) {
      const { status, json } = await machine.clientCredentials(scope)
      assert.equal(status, 400, scope)
      assert.equal(json.error, 'invalid_scope')
    }
  })

  test('66a the sub of a machine is its client id, that of a user never is one', async () => {
    const { json } = await machine.clientCredentials('system/*.rs')
    assert.equal(decodeJwt(json.access_token ?? '').claims.sub, machine.clientId)
    const { claims } = decodeJwt((await launch()).accessToken)
    assert.equal(claims.sub, person.id)
    assert.match(person.id, /^u_/)
  })
})

describe('67 a long list of scopes', () => {
  // Ids are public; nothing of these is in the sample.
  const many = Array.from(
    { length: 350 },
    (_, index) =>
      `patient/Observation.rs?code=http://loinc.org|${10_000 + index}-0&status=final,amended`,
  ).join(' ')

  test('of 24 kB comes by POST, and by PAR', async () => {
    assert.ok(many.length > 24_000 && many.length < 32_000)
    const scope = `${BASE} patient/Patient.rs ${many}`
    const byPost = await server.launch(app, person, {
      scope,
      patient: 'patient-1',
      browser,
      byPost: true,
    })
    assert.ok(byPost.accessToken.length < 4096)
    assert.equal((await server.fhir(byPost.accessToken, 'Patient/patient-1')).status, 200)
    const request = app.authorize({ scope })
    const openid = (await (
      await fetch(`${server.url}/.well-known/openid-configuration`)
    ).json()) as { pushed_authorization_request_endpoint: string }
    const pushed = await app.post(
      openid.pushed_authorization_request_endpoint,
      Object.fromEntries(request.params),
    )
    assert.equal(pushed.status, 201, JSON.stringify(pushed.json))
    const { request_uri = '' } = pushed.json as { request_uri?: string }
    const url = `${server.authorizeUrl}?${new URLSearchParams({ client_id: app.clientId, request_uri })}`
    const callback = await visitAuthorizeUrl(url, person, { patient: 'patient-1', browser })
    const { json } = await app.exchange(callback.searchParams.get('code') ?? '', request)
    assert.equal(json.scope?.split(' ').length, byPost.token.scope?.split(' ').length)
  })
})

describe('68 what people and clients do is recorded', () => {
  test('sign-in, consent, refusal and revocation, in a chain that holds', async () => {
    const somebody = await server.user()
    const own = browserOf(server)
    await server.launch(app, somebody, { scope: SCOPE, patient: 'patient-1', browser: own })
    const denied = app.authorize({ scope: SCOPE })
    await authorizeInBrowser(own, denied, somebody, { patient: 'patient-1', consent: 'deny' })
    await revokeAll(own, server.url)
    const expected = ['user.signed-in', 'user.granted', 'user.denied', 'user.revoked']
    let actions: string[] = []
    for (let round = 0; round < 100 && actions.length < expected.length; round++) {
      const rows = await server.sql('SELECT content FROM audit_admin')
      const entries = rows.map(({ content }) => String(content))
      const own = entries.filter((entry) => entry.includes(somebody.id))
      actions = expected.filter((action) => own.some((entry) => entry.includes(`"${action}"`)))
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    assert.deepEqual(actions, expected)
    const { intact } = await server.admin<{ intact: boolean }>('GET', '/audit/verification')
    assert.equal(intact, true)
  })
})

describe('70 errors say nothing of the inside', () => {
  test('whatever is sent to the endpoints', async () => {
    const addresses = [
      server.tokenUrl,
      server.authorizeUrl,
      server.configuration.introspection_endpoint,
      server.configuration.revocation_endpoint,
    ]
    const bodies = ['', '{', 'a=%zz', `token=${'x'.repeat(100_000)}`, 'grant_type[]=x', '\0\0']
    for (const address of addresses) {
      for (const body of bodies) {
        for (const type of ['application/x-www-form-urlencoded', 'application/json', 'text/xml']) {
          const answer = await raw(address, { 'content-type': type }, { method: 'POST', body })
          assert.ok(answer.status >= 400 && answer.status < 500, `${address} ${answer.status}`)
          assert.doesNotMatch(answer.body, / at .*\.(ts|js):\d+|SELECT |node_modules|\/work\//)
        }
      }
    }
  })
})

describe('RP-initiated sign-out', () => {
  test('leads only to an address that is registered', async () => {
    const goodbye = 'http://127.0.0.1:9/goodbye'
    const own = await server.app({
      scopes: SCOPE,
      set: { post_logout_redirect_uris: [goodbye] },
    })
    const signedIn = browserOf(server)
    const { token } = await server.launch(own, person, {
      scope: SCOPE,
      patient: 'patient-1',
      browser: signedIn,
    })
    const openid = (await (
      await fetch(`${server.url}/.well-known/openid-configuration`)
    ).json()) as { end_session_endpoint: string }
    const urlOf = (post_logout_redirect_uri: string) =>
      `${openid.end_session_endpoint}?${new URLSearchParams({
        id_token_hint: token.id_token ?? '',
        post_logout_redirect_uri,
        state: 'abc',
      })}`
    const wrong = await signedIn.open(urlOf('https://evil.example/'))
    assert.ok(!isAway(wrong))
    assert.ok(wrong.status >= 400)
    let result = await signedIn.open(urlOf(goodbye))
    for (let pages = 0; pages < 3 && !isAway(result); pages++) {
      const form = result.forms.at(0)
      assert.ok(form, result.text)
      result = await signedIn.submit(form)
    }
    assert.ok(isAway(result))
    assert.equal(`${result.away.origin}${result.away.pathname}`, goodbye)
    assert.equal(result.away.searchParams.get('state'), 'abc')
    const next = await signedIn.open(own.authorize({ scope: SCOPE }).url)
    assert.ok(!isAway(next))
    assert.ok(next.forms.some(({ fields }) => fields.some(({ name }) => name === 'password')))
  })
})
