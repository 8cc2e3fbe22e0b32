import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { createLabKey, publicJwk, signed } from '@scopegate/lab'
import { testStorage } from '@scopegate/storage/testing'
import * as oauth from 'oauth4webapi'
import { createStubBrowser } from '../testing/browse.ts'
import { authorizationOf, exchange, launch, REDIRECT_URI } from '../testing/launch-app.ts'
import { claimsOf, headerOf, type StartedApps, startApps } from '../testing/start-apps.ts'

const storage = await testStorage()
let at: StartedApps
let app: string

before(async () => {
  at = await startApps(storage)
  app = (await at.addApp()).id
})
after(() => at.close())

const get = async (path: string) => {
  const response = await fetch(`${at.address}${path}`, {
    headers: { origin: 'https://any.example' },
  })
  const body = (await response.json()) as Record<string, unknown>
  return { response, body }
}

async function good(changes: Record<string, string> = {}, credentials?: Record<string, string>) {
  const { status, body } = await launch(at, app, changes, credentials)
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

/** As an EHR does it: a handle, the launch URL of the app, and the app with that handle. */
async function ehrLaunch(context: object, scope: string) {
  const { launch: handle } = await at.server.launches.create({
    clientId: app,
    userId: 'u_carla',
    context,
  })
  at.signIn.decision = {}
  return good({ launch: handle, scope })
}

/** What the pages of the picker would decide. */
async function standalone(context: object, scope: string) {
  at.signIn.decision = { context }
  return good({ scope })
}

const refresh = (refresh_token: string) =>
  exchange(at.address, { grant_type: 'refresh_token', refresh_token, client_id: app })

/** A line for each capability: what an app can do because of it. */
const EXERCISES: Readonly<Record<string, () => Promise<void>>> = {
  async 'launch-ehr'() {
    const body = await ehrLaunch({ patient: 'p1' }, 'launch patient/Patient.rs')
    assert.equal(body.patient, 'p1')
    assert.match(body.scope, /\blaunch\b/)
  },
  async 'launch-standalone'() {
    const body = await standalone({ patient: 'p1' }, 'launch/patient patient/Patient.rs')
    assert.equal(body.patient, 'p1')
  },
  async 'authorize-post'() {
    at.signIn.decision = { context: { patient: 'p1' } }
    const { params } = authorizationOf(at, app)
    const browser = createStubBrowser(at.issuer)
    const { url } = await browser.follow(`${at.issuer}/oauth/authorize`, {
      method: 'POST',
      body: new URLSearchParams(params),
    })
    assert.ok(url.startsWith(REDIRECT_URI))
    assert.ok(new URL(url).searchParams.get('code'))
  },
  async 'client-public'() {
    at.signIn.decision = { context: { patient: 'p1' } }
    assert.ok((await good({}, { client_id: app })).access_token)
  },
  async 'client-confidential-symmetric'() {
    const { id, secret } = await at.addApp({ public: false })
    at.signIn.decision = { context: { patient: 'p1' } }
    const { status } = await launch(at, id, {}, { client_id: id, client_secret: secret })
    assert.equal(status, 200)
    assert.equal((await launch(at, id, {}, { client_id: id })).status, 401)
  },
  async 'client-confidential-asymmetric'() {
    for (const alg of ['RS384', 'ES384'] as const) {
      const key = createLabKey(alg)
      const { id } = await at.addApp({ public: false, jwks: { keys: [publicJwk(key)] } })
      const now = Math.floor(Date.now() / 1000)
      const client_assertion = signed(
        { alg, kid: key.kid, typ: 'JWT' },
        {
          iss: id,
          sub: id,
          aud: `${at.issuer}/oauth/token`,
          exp: now + 60,
          jti: randomUUID(),
        },
        key,
      )
      at.signIn.decision = { context: { patient: 'p1' } }
      const { status, body } = await launch(
        at,
        id,
        {},
        {
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion,
        },
      )
      assert.equal(status, 200, JSON.stringify(body))
    }
  },
  async 'sso-openid-connect'() {
    const body = await standalone({ patient: 'p1' }, 'openid fhirUser patient/Patient.rs')
    assert.equal(headerOf(body.id_token).alg, 'RS256')
    assert.equal(claimsOf(body.id_token).fhirUser, `${at.fhir}/Practitioner/carla`)
    const { body: document } = await get('/.well-known/openid-configuration')
    const as = await oauth.processDiscoveryResponse(
      new URL(at.issuer),
      Response.json(document) as Response,
    )
    assert.equal(as.issuer, claimsOf(body.id_token).iss)
  },
  async 'context-banner'() {
    for (const need_patient_banner of [true, false]) {
      const body = await ehrLaunch({ patient: 'p1', need_patient_banner }, 'launch patient/*.rs')
      assert.equal(body.need_patient_banner, need_patient_banner)
    }
  },
  async 'context-style'() {
    const smart_style_url = 'https://ehr.example/style.json'
    const body = await ehrLaunch({ patient: 'p1', smart_style_url }, 'launch patient/*.rs')
    assert.equal(body.smart_style_url, smart_style_url)
  },
  async 'context-ehr-patient'() {
    assert.equal((await ehrLaunch({ patient: 'p7' }, 'launch patient/*.rs')).patient, 'p7')
  },
  async 'context-ehr-encounter'() {
    const context = { patient: 'p1', encounter: 'e7' }
    assert.equal((await ehrLaunch(context, 'launch patient/*.rs')).encounter, 'e7')
  },
  async 'context-standalone-patient'() {
    const body = await standalone({ patient: 'p8' }, 'launch/patient patient/*.rs')
    assert.equal(body.patient, 'p8')
    assert.match(body.scope, /launch\/patient/)
  },
  async 'context-standalone-encounter'() {
    const context = { patient: 'p8', encounter: 'e8' }
    const scope = 'launch/patient launch/encounter patient/*.rs'
    assert.equal((await standalone(context, scope)).encounter, 'e8')
  },
  async 'permission-offline'() {
    const body = await standalone({ patient: 'p1' }, 'offline_access patient/*.rs')
    at.signIn.alive.clear()
    const next = await refresh(body.refresh_token)
    assert.equal(next.status, 200, 'though nobody is signed in any more')
    assert.equal(next.body.patient, 'p1')
  },
  async 'permission-online'() {
    const body = await ehrLaunch({ patient: 'p1' }, 'launch online_access patient/*.rs')
    const next = await refresh(body.refresh_token)
    assert.equal(next.status, 200)
    at.signIn.alive.clear()
    assert.equal((await refresh(next.body.refresh_token)).status, 400)
  },
  async 'permission-patient'() {
    const body = await standalone({ patient: 'p1' }, 'launch/patient patient/Observation.rs')
    assert.match(body.scope, /patient\/Observation\.rs/)
    assert.equal(claimsOf(body.access_token).patient, 'p1')
  },
  async 'permission-user'() {
    const body = await standalone({}, 'user/Observation.rs')
    assert.equal(body.scope, 'user/Observation.rs')
    assert.equal(body.patient, undefined)
  },
  async 'permission-v1'() {
    const scope = 'launch/patient patient/Observation.read patient/Condition.* user/Patient.write'
    assert.equal((await standalone({ patient: 'p1' }, scope)).scope, scope, 'as it was spelled')
  },
  async 'permission-v2'() {
    const scope =
      'launch/patient patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory patient/Condition.cruds'
    assert.equal((await standalone({ patient: 'p1' }, scope)).scope, scope)
  },
}

describe('a capability of smart-configuration', () => {
  test('that is listed is exercised here, each of them', () => {
    const { capabilities } = at.server.smartConfiguration(at.fhir)
    assert.deepEqual([...capabilities].sort(), Object.keys(EXERCISES).sort())
  })

  for (const [capability, exercise] of Object.entries(EXERCISES)) {
    test(`${capability} works`, exercise)
  }
})

describe('smart-configuration', () => {
  test('has what SMART asks for, with absolute addresses', () => {
    const { scopes_supported, capabilities, ...rest } = at.server.smartConfiguration(at.fhir)
    const methods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt']
    const { token_endpoint_auth_signing_alg_values_supported: algorithms, ...others } = rest
    assert.deepEqual(others, {
      issuer: at.issuer,
      jwks_uri: `${at.issuer}/oauth/jwks`,
      authorization_endpoint: `${at.issuer}/oauth/authorize`,
      token_endpoint: `${at.issuer}/oauth/token`,
      token_endpoint_auth_methods_supported: methods,
      grant_types_supported: ['authorization_code', 'client_credentials'],
      registration_endpoint: `${at.issuer}/oauth/register`,
      introspection_endpoint: `${at.issuer}/oauth/introspect`,
      revocation_endpoint: `${at.issuer}/oauth/revoke`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
    })
    assert.ok(algorithms.includes('RS384') && algorithms.includes('ES384'))
  })

  test('names the page where users end what they granted, where there is one', async () => {
    const signIn = {
      ...at.signIn,
      controllers: () => [
        {
          routes: ['/account'],
          owns: (path: string) => path === '/account',
          handle: async () => {},
        },
      ],
    }
    const other = await startApps(storage, { signIn })
    const { management_endpoint } = other.server.smartConfiguration(other.fhir)
    assert.equal(management_endpoint, `${other.issuer}/account`)
    other.close()
  })

  test('lists no scope that cannot be had', async () => {
    const { scopes_supported } = at.server.smartConfiguration(at.fhir)
    const listed = scopes_supported as readonly string[]
    const ofPrograms = listed.filter((scope) => /^(?:system\/|introspect$)/.test(scope))
    const added = await at.server.clients.add({
      name: 'Program',
      scopes: 'system/*.cruds introspect',
      grants: ['client_credentials'],
    })
    assert.ok(added.ok, JSON.stringify(added))
    for (const scope of ofPrograms) {
      const { body } = await exchange(at.address, {
        grant_type: 'client_credentials',
        client_id: added.client.clientId,
        client_secret: added.clientSecret ?? '',
        scope,
      })
      assert.equal(body.scope, scope, JSON.stringify(body))
    }

    const ofUsers = listed.filter((scope) => !ofPrograms.includes(scope))
    for (let i = 0; i < ofUsers.length; i += 40) {
      // `launch` is of EHR launches.
      const scopes = ofUsers.slice(i, i + 40).filter((scope) => scope !== 'launch')
      const context = { patient: 'p1', encounter: 'e1' }
      const granted = await standalone(context, scopes.join(' '))
      assert.deepEqual(granted.scope.split(' ').sort(), scopes.sort())
    }
  })

  test('lists what US Core asks for', () => {
    const listed = new Set(at.server.smartConfiguration(at.fhir).scopes_supported)
    for (const context of ['patient', 'user', 'system']) {
      for (const category of [
        'http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern',
        'http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis',
        'http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item',
      ]) {
        assert.ok(listed.has(`${context}/Condition.rs?category=${category}`), category)
      }
      for (const category of [
        'http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh',
        'http://terminology.hl7.org/CodeSystem/observation-category|social-history',
        'http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
        'http://terminology.hl7.org/CodeSystem/observation-category|survey',
        'http://terminology.hl7.org/CodeSystem/observation-category|vital-signs',
      ]) {
        assert.ok(listed.has(`${context}/Observation.rs?category=${category}`), category)
      }
      for (const type of ['Patient', 'Condition', 'Observation', 'Immunization']) {
        assert.ok(listed.has(`${context}/${type}.rs`), type)
      }
    }
  })
})

describe('the documents of OAuth and OpenID', () => {
  test('say one thing, to pages of every origin', async () => {
    const [openid, plain] = await Promise.all([
      get('/.well-known/openid-configuration'),
      get('/.well-known/oauth-authorization-server'),
    ])
    assert.deepEqual(openid.body, plain.body)
    for (const { response } of [openid, plain, await get('/oauth/jwks')]) {
      assert.equal(response.status, 200)
      assert.equal(response.headers.get('access-control-allow-origin'), '*')
      assert.equal(response.headers.get('access-control-allow-credentials'), null)
    }
  })

  test('list endpoints that are there, and what they take', async () => {
    const { body } = await get('/.well-known/openid-configuration')
    assert.equal(body.issuer, at.issuer)
    const endpoints = Object.entries(body).filter(([name]) => /_endpoint$/.test(name))
    assert.deepEqual(endpoints.map(([name]) => name).sort(), [
      'authorization_endpoint',
      'device_authorization_endpoint',
      'end_session_endpoint',
      'introspection_endpoint',
      'pushed_authorization_request_endpoint',
      'registration_endpoint',
      'revocation_endpoint',
      'token_endpoint',
      'userinfo_endpoint',
    ])
    for (const [name, url] of endpoints) {
      assert.ok(String(url).startsWith(`${at.issuer}/oauth/`), name)
      const response = await fetch(String(url), { redirect: 'manual' })
      assert.notEqual(response.status, 500, name)
      const asked =
        response.status === 404 ? await fetch(String(url), { method: 'POST' }) : response
      assert.notEqual(asked.status, 404, name)
    }
    assert.deepEqual(body.response_types_supported, ['code'])
    assert.deepEqual(body.code_challenge_methods_supported, ['S256'])
    assert.deepEqual(body.id_token_signing_alg_values_supported, ['RS256'])
    assert.deepEqual(body.subject_types_supported, ['public'])
    assert.equal(body.authorization_response_iss_parameter_supported, true)
    assert.deepEqual([...(body.grant_types_supported as string[])].sort(), [
      'authorization_code',
      'client_credentials',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code',
    ])
    assert.deepEqual([...(body.token_endpoint_auth_methods_supported as string[])].sort(), [
      'client_secret_basic',
      'client_secret_post',
      'none',
      'private_key_jwt',
    ])
    assert.deepEqual(body.introspection_endpoint_auth_methods_supported, [
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'Bearer',
    ])
    const claims = body.claims_supported as string[]
    for (const claim of ['sub', 'fhirUser', 'name', 'email']) assert.ok(claims.includes(claim))
    assert.ok((body.dpop_signing_alg_values_supported as string[]).includes('ES256'))
  })

  test('hold no private part of a key', async () => {
    const { body } = await get('/oauth/jwks')
    for (const key of body.keys as object[]) {
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'])
        assert.equal(member in key, false)
    }
  })
})
