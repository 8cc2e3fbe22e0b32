import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { revokeAll, signOut } from './support/account.ts'
import { clientAssertion, JWT_BEARER } from './support/client-assertion.ts'
import { authorizeInBrowser, codeOf, type LaunchWish } from './support/launch-app.ts'
import { browserOf, openSmartServer, type Person } from './support/open-smart-server.ts'
import { decodeJwt, type SmartApp } from './support/smart-app.ts'

// Statements 21 … 37 of the security checklist: codes and tokens.
const SCOPE =
  'launch/patient openid fhirUser offline_access patient/Patient.rs patient/Observation.rs'
const ONLINE = SCOPE.replace('offline_access', 'online_access')
const MANY = 30

const server = await openSmartServer()
after(() => server.close())
const person = await server.user()
const browser = browserOf(server)
const app = await server.app({ scopes: `${SCOPE} online_access` })
const confidential = await server.app({ scopes: `${SCOPE} online_access`, as: 'secret' })

const launch = (by: SmartApp = app, wish: Partial<LaunchWish> = {}, as: Person = person) =>
  server.launch(by, as, { scope: SCOPE, patient: 'patient-1', browser, ...wish })

const read = async (token: string | undefined) =>
  (await server.fhir(token, 'Patient/patient-1')).status

async function authorized(by: SmartApp) {
  const request = by.authorize({ scope: SCOPE })
  const away = await authorizeInBrowser(browser, request, person, { patient: 'patient-1' })
  return { request, code: codeOf(away, request) }
}

describe('21 a code works once', () => {
  for (const [name, by] of Object.entries({ public: app, confidential })) {
    test(`of ${MANY} at once exactly one gets a token, ${name} client`, async () => {
      const { request, code } = await authorized(by)
      const answers = await Promise.all(
        Array.from({ length: MANY }, () => by.exchange(code, request)),
      )
      const won = answers.filter(({ status }) => status === 200)
      assert.equal(won.length, 1)
      for (const { status, json } of answers.filter((answer) => !won.includes(answer))) {
        assert.equal(status, 400)
        assert.equal(json.error, 'invalid_grant')
      }
    })
  }

  test('its second use ends what came of the first', async () => {
    const { request, code } = await authorized(app)
    const first = await app.exchange(code, request)
    assert.equal(await read(first.json.access_token), 200)
    assert.equal((await app.exchange(code, request)).status, 400)
    assert.equal(await read(first.json.access_token), 401)
    assert.equal((await app.refresh(first.json.refresh_token ?? '')).status, 400)
  })
})

describe('24, 25 refresh tokens rotate; what is repeated at once gets the same answer', () => {
  test(`${MANY} refreshes at once get one answer, and the family lives`, async () => {
    const { token } = await launch()
    const answers = await Promise.all(
      Array.from({ length: MANY }, () => app.refresh(token.refresh_token ?? '')),
    )
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    assert.equal(new Set(answers.map(({ json }) => json.refresh_token)).size, 1)
    assert.equal(new Set(answers.map(({ json }) => json.access_token)).size, 1)
    const next = answers[0]?.json.refresh_token ?? ''
    assert.notEqual(next, token.refresh_token)
    assert.equal((await app.refresh(next)).status, 200)
  })

  test('another client gets nothing in this time, and the family lives', async () => {
    const { token } = await launch()
    const first = await app.refresh(token.refresh_token ?? '')
    const thief = await confidential.refresh(token.refresh_token ?? '')
    assert.equal(thief.status, 400)
    assert.equal(thief.json.error, 'invalid_grant')
    assert.equal((await app.refresh(first.json.refresh_token ?? '')).status, 200)
  })

  test('a confidential client may lose the answer, too', async () => {
    const { token } = await launch(confidential)
    const first = await confidential.refresh(token.refresh_token ?? '')
    const again = await confidential.refresh(token.refresh_token ?? '')
    assert.equal(again.status, 200)
    assert.equal(again.json.refresh_token, first.json.refresh_token)
  })

  test('the context comes with every refresh', async () => {
    let { refresh_token: refreshToken = '' } = (await launch()).token
    for (let round = 0; round < 3; round++) {
      const { json } = await app.refresh(refreshToken)
      assert.equal(json.patient, 'patient-1')
      assert.equal(decodeJwt(json.access_token ?? '').claims.patient, 'patient-1')
      refreshToken = json.refresh_token ?? ''
    }
  })
})

describe('27 a refresh ends when its reason has gone', () => {
  const refused = async (by: SmartApp, refreshToken: string | undefined) => {
    const { status, json } = await by.refresh(refreshToken ?? '')
    assert.ok([400, 401].includes(status), JSON.stringify(json))
    assert.match(json.error ?? '', /^invalid_(grant|client)$/)
  }

  test('the user was disabled', async () => {
    const leaving = await server.user()
    const { token, accessToken } = await launch(app, { browser: browserOf(server) }, leaving)
    await server.admin('PATCH', `/users/${leaving.id}`, { disabled: true })
    await refused(app, token.refresh_token)
    assert.equal(await read(accessToken), 401)
  })

  test('the client was disabled', async () => {
    const former = await server.app({ scopes: SCOPE, as: 'secret' })
    const { token } = await launch(former)
    await server.admin('PATCH', `/clients/${former.clientId}`, { disabled: true })
    await refused(former, token.refresh_token)
  })

  test('the user is another patient now', async () => {
    const patient = await server.user({ fhirUser: 'Patient/patient-1' })
    const { token } = await launch(app, { browser: browserOf(server) }, patient)
    assert.equal(token.patient, 'patient-1')
    await server.admin('PATCH', `/users/${patient.id}`, { fhir_user: 'Patient/patient-2' })
    await refused(app, token.refresh_token)
  })

  test('the user took the consent back', async () => {
    const own = browserOf(server)
    const { token, accessToken } = await launch(app, { browser: own })
    await revokeAll(own, server.url)
    await refused(app, token.refresh_token)
    assert.equal(await read(accessToken), 401)
  })
})

describe('28 online_access ends with the session, offline_access does not', () => {
  for (const [scope, expected] of [
    [ONLINE, 400],
    [SCOPE, 200],
  ] as const) {
    const name = scope === ONLINE ? 'online_access' : 'offline_access'
    test(`${name}: ${expected} after the sign-out`, async () => {
      const own = browserOf(server)
      const { token } = await launch(app, { scope, browser: own })
      assert.ok(token.scope?.split(' ').includes(name))
      const before = await app.refresh(token.refresh_token ?? '')
      assert.equal(before.status, 200)
      await signOut(own, server.url)
      const { status, json } = await app.refresh(before.json.refresh_token ?? '')
      assert.equal(status, expected, JSON.stringify(json))
    })
  }

  test('neither: no refresh token', async () => {
    const scope = SCOPE.replace(' offline_access', '')
    assert.equal((await launch(app, { scope })).token.refresh_token, undefined)
  })
})

describe('30 … 32 an access token is for one place, of one kind, by our keys', () => {
  test('30 its audience is the FHIR base, and the admin API refuses it', async () => {
    const { accessToken } = await launch()
    assert.deepEqual([decodeJwt(accessToken).claims.aud].flat(), [server.fhirUrl])
    const response = await fetch(`${server.adminUrl}/clients`, {
      headers: { authorization: `Bearer ${accessToken}` },
    })
    assert.equal(response.status, 401)
  })

  test('31 ID token, client assertion and access token are not taken for each other', async () => {
    const machine = await server.app({
      scopes: 'system/Patient.rs',
      as: 'RS384',
      grants: ['client_credentials'],
    })
    const { token, accessToken } = await launch()
    assert.equal(decodeJwt(accessToken).header.typ, 'at+jwt')
    assert.equal(await read(token.id_token), 401)
    assert.equal(await read(token.refresh_token), 401)
    const assertion = clientAssertion(
      { clientId: machine.clientId, key: machine.key! },
      server.fhirUrl,
    )
    assert.equal(await read(assertion), 401)
    for (const client_assertion of [accessToken, token.id_token ?? '']) {
      const { json } = await machine.clientCredentials('system/Patient.rs', {
        set: { client_assertion, client_assertion_type: JWT_BEARER },
      })
      assert.equal(json.error, 'invalid_client')
    }
  })

  test('32 none, HS256 with the public key, a changed claim, an unknown crit', async () => {
    const { accessToken } = await launch()
    const { header, claims } = decodeJwt(accessToken)
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const signature = accessToken.split('.')[2]
    const keySet = await (await fetch(server.configuration.jwks_uri)).text()
    const hs256 = `${part({ ...header, alg: 'HS256' })}.${part(claims)}`
    const forged = [
      `${part({ ...header, alg: 'none' })}.${part(claims)}.`,
      `${part({ ...header, alg: 'None' })}.${part(claims)}.${signature}`,
      `${hs256}.${createHmac('sha256', keySet).update(hs256).digest('base64url')}`,
      `${part(header)}.${part({ ...claims, patient: 'patient-2' })}.${signature}`,
      `${part({ ...header, crit: ['b64'], b64: true })}.${part(claims)}.${signature}`,
      `${part({ ...header, kid: '../../etc/passwd' })}.${part(claims)}.${signature}`,
    ]
    for (const [index, token] of forged.entries()) {
      assert.equal(await read(token), 401, `forgery ${index}`)
    }
    assert.equal(await read(accessToken), 200)
  })
})

describe('34, 35 secrets stay out of addresses, answers, logs and caches', () => {
  test('a token in the query is refused', async () => {
    const { accessToken } = await launch()
    const response = await server.fhir(undefined, `Patient/patient-1?access_token=${accessToken}`)
    assert.ok([400, 401].includes(response.status))
    assert.ok(!(await response.text()).includes(accessToken))
  })

  test('nothing live is in the log of a whole launch, at its most talkative', async () => {
    const { token, accessToken, code, request } = await launch(confidential, {
      browser: browserOf(server),
    })
    const refreshed = await confidential.refresh(token.refresh_token ?? '')
    await confidential.exchange(code, request)
    const secrets = {
      code,
      accessToken,
      verifier: request.verifier,
      state: request.state,
      idToken: token.id_token,
      refreshToken: token.refresh_token,
      nextRefreshToken: refreshed.json.refresh_token,
      secret: confidential.secret,
      password: person.password,
    }
    const log = server.log.join('')
    assert.ok(log.length > 0)
    for (const [name, value] of Object.entries(secrets)) {
      assert.ok(value !== undefined && value.length > 7, name)
      assert.ok(!log.includes(value), name)
    }
  })

  test('a refused value is not repeated', async () => {
    const value = 'a-refresh-token-that-was-never-issued'
    const { json } = await app.refresh(value)
    assert.ok(!JSON.stringify(json).includes(value))
  })

  test('token, introspection and userinfo answers are not cached', async () => {
    const { answer, accessToken } = await launch(confidential)
    const introspected = await confidential.post(server.configuration.introspection_endpoint, {
      token: accessToken,
    })
    const discovery = (await (
      await fetch(`${server.url}/.well-known/openid-configuration`)
    ).json()) as { userinfo_endpoint: string }
    const userinfo = await fetch(discovery.userinfo_endpoint, {
      headers: { authorization: `Bearer ${accessToken}` },
    })
    assert.equal(userinfo.status, 200)
    for (const { headers } of [answer, introspected, userinfo]) {
      assert.match(headers.get('cache-control') ?? '', /no-store/)
    }
    for (const { headers } of [answer, introspected]) {
      assert.match(headers.get('pragma') ?? '', /no-cache/)
    }
  })
})

describe('37 what is revoked is refused at once', () => {
  test('revoking the refresh token ends its access tokens', async () => {
    const { token, accessToken } = await launch(confidential)
    const url = server.configuration.revocation_endpoint
    const { status } = await confidential.post(url, { token: token.refresh_token ?? '' })
    assert.equal(status, 200)
    assert.equal(await read(accessToken), 401)
  })

  test('revoking an access token leaves the grant', async () => {
    const { token, accessToken } = await launch(confidential)
    const url = server.configuration.revocation_endpoint
    assert.equal((await confidential.post(url, { token: accessToken })).status, 200)
    assert.equal(await read(accessToken), 401)
    const refreshed = await confidential.refresh(token.refresh_token ?? '')
    assert.equal(refreshed.status, 200)
    assert.equal(await read(refreshed.json.access_token), 200)
  })

  test("another client's token is not revoked, and 200 is answered to what is unknown", async () => {
    const { accessToken } = await launch(app)
    const url = server.configuration.revocation_endpoint
    await confidential.post(url, { token: accessToken })
    assert.equal(await read(accessToken), 200)
    assert.equal((await confidential.post(url, { token: 'nope' })).status, 200)
  })
})
