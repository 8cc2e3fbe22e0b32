import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { createStubBrowser } from './testing/browse.ts'
import { authorizationOf, authorize, exchange, launch, REDIRECT_URI } from './testing/launch-app.ts'
import { claimsOf, headerOf, type StartedApps, startApps } from './testing/start-apps.ts'

const storage = await testStorage()
let at: StartedApps
let app: string

before(async () => {
  at = await startApps(storage)
  app = (await at.addApp()).id
})
after(() => at.close())

/** What the app reads in an error, or what the page says. */
async function refused(changes: Record<string, string | undefined>, clientId = app) {
  at.signIn.decision = { context: { patient: 'p1' } }
  const { url, response } = await authorize(at, authorizationOf(at, clientId, changes))
  const isPage = url.startsWith(at.issuer)
  // Where the app asked for a token, the answer is in the fragment.
  const answer = new URLSearchParams(new URL(url).search || new URL(url).hash.slice(1))
  return { isPage, answer, error: answer.get('error'), page: isPage ? await response.text() : '' }
}

describe('a launch', () => {
  test('gives tokens, with the context beside them and in the access token', async () => {
    const context = {
      patient: 'p1',
      encounter: 'e1',
      fhirContext: [{ reference: 'ImagingStudy/1' }],
      need_patient_banner: true,
      tenant: 't',
    }
    at.signIn.decision = { context }
    const { status, body, headers } = await launch(at, app, { nonce: 'n-1' })
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('pragma'), 'no-cache')
    assert.equal(body.token_type, 'Bearer')
    assert.equal(body.expires_in, 3600)
    assert.equal(
      body.scope,
      'openid fhirUser launch/patient patient/Observation.rs offline_access',
      'identity, launch and offline scopes are echoed',
    )
    for (const [name, value] of Object.entries(context)) assert.deepEqual(body[name], value, name)
    assert.ok(body.refresh_token)

    const access = claimsOf(body.access_token)
    assert.equal(headerOf(body.access_token).typ, 'at+jwt')
    assert.equal(access.aud, at.fhir)
    assert.equal(access.sub, 'u_carla')
    assert.equal(access.patient, 'p1')
    assert.equal(access.encounter, 'e1')
    assert.equal(access.fhirUser, `${at.fhir}/Practitioner/carla`)
  })

  test('gives an ID token that is signed with RS256 by a published key', async () => {
    at.signIn.decision = { context: { patient: 'p1' } }
    const { body } = await launch(at, app, { nonce: 'n-1' })
    const { alg, kid } = headerOf(body.id_token)
    assert.equal(alg, 'RS256')
    const { keys } = (await (await fetch(`${at.issuer}/oauth/jwks`)).json()) as {
      keys: { kid: string }[]
    }
    const jwk = keys.find((key) => key.kid === kid)
    assert.ok(jwk)
    const [header, payload, signature] = body.id_token.split('.')
    const key = createPublicKey({ key: jwk as never, format: 'jwk' })
    const signed = Buffer.from(`${header}.${payload}`)
    assert.ok(verify('sha256', signed, key, Buffer.from(signature, 'base64url')))
    const claims = claimsOf(body.id_token)
    assert.equal(claims.iss, at.issuer)
    assert.equal(claims.aud, app)
    assert.equal(claims.nonce, 'n-1')
    assert.equal(claims.fhirUser, `${at.fhir}/Practitioner/carla`)
    assert.equal(claims.sub, 'u_carla')
  })

  test('tells the app its state exactly, and who answers', async () => {
    at.signIn.decision = { context: { patient: 'p1' } }
    for (const state of ['a b+c/=&?ü%20', undefined]) {
      const { answer, url } = await authorize(at, authorizationOf(at, app, { state }))
      assert.ok(url.startsWith(`${REDIRECT_URI}?`))
      assert.equal(answer.get('state'), state ?? null)
      assert.equal(answer.get('iss'), at.issuer)
    }
  })

  test('begins with POST as with GET, with a long list of scopes too', async () => {
    at.signIn.decision = { context: { patient: 'p1' } }
    const long = Array.from(
      { length: 300 },
      (_, index) => `patient/Observation.rs?code=http://loinc.org|${10_000 + index}-${index % 10}`,
    ).join(' ')
    const { params, verifier } = authorizationOf(at, app, { scope: `launch/patient ${long}` })
    const browser = createStubBrowser(at.issuer)
    const form = { method: 'POST', body: new URLSearchParams(params) }
    const { url } = await browser.follow(`${at.issuer}/oauth/authorize?response_type=token`, form)
    const code = new URL(url).searchParams.get('code')
    assert.ok(code, url)
    const { body } = await exchange(at.address, {
      grant_type: 'authorization_code',
      ...{ code, redirect_uri: REDIRECT_URI, code_verifier: verifier, client_id: app },
    })
    assert.equal(body.scope, `launch/patient ${long}`)
    assert.equal(body.patient, 'p1')
    assert.ok(body.access_token.length < 200, 'a list that fits no header is behind a handle')
    const form2 = { ...form, body: new URLSearchParams({ ...params, state: 'x'.repeat(60_000) }) }
    const { response } = await browser.follow(`${at.issuer}/oauth/authorize`, form2)
    assert.equal(response.status, 413)
  })

  test('of the EHR takes its context from the handle, once and for the right client', async () => {
    const context = { patient: 'ehr', encounter: 'e7' }
    const other = (await at.addApp()).id
    const { launch: handle } = await at.server.launches.create({ clientId: app, context })
    const scope = 'launch patient/Observation.rs'
    at.signIn.decision = {}
    const stolen = await authorize(at, authorizationOf(at, other, { launch: handle, scope }))
    assert.equal(stolen.answer.get('error'), 'invalid_request')
    assert.equal(at.refusals.at(-1)?.code, 'launch_refused')
    const { body } = await launch(at, app, { launch: handle, scope })
    assert.equal(body.patient, 'ehr')
    assert.equal(body.encounter, 'e7')
    const again = await authorize(at, authorizationOf(at, app, { launch: handle, scope }))
    assert.equal(again.answer.get('error'), 'invalid_request')
  })

  test('whose user says no tells the app, and the trace', async () => {
    at.signIn.decision = { deny: true }
    at.refusals.length = 0
    const { answer } = await authorize(at, authorizationOf(at, app))
    assert.equal(answer.get('error'), 'access_denied')
    assert.equal(answer.get('error_description'), 'the user said no')
    assert.equal(at.refusals[0]?.code, 'access_denied')
    assert.equal(at.refusals[0]?.path, '/oauth/authorize')
  })

  test('gives exactly what the user allowed, down to the category', async () => {
    const LAB = 'patient/Observation.rs?category=laboratory'
    at.signIn.decision = { context: { patient: 'p1' }, scopes: ['launch/patient', LAB] }
    const { body } = await launch(at, app)
    assert.equal(body.scope, `launch/patient ${LAB}`)
    assert.equal(claimsOf(body.access_token).scope, `launch/patient ${LAB}`)
    assert.equal(body.refresh_token, undefined, 'offline_access was not allowed')
    assert.equal(body.id_token, undefined)
  })

  test('without a patient has no patient scopes, and what was not established is not echoed', async () => {
    at.signIn.decision = {}
    const scope = 'openid launch/patient launch/encounter patient/Observation.rs user/Patient.rs'
    const { body } = await launch(at, app, { scope })
    assert.equal(body.scope, 'openid user/Patient.rs')
    assert.equal(body.patient, undefined)
  })
})

describe('an authorization request', () => {
  test('is refused on a page when the client or its redirect URI is not known', async () => {
    for (const changes of [
      { client_id: 'nobody' },
      { redirect_uri: undefined },
      { redirect_uri: 'https://evil.example/callback' },
      { redirect_uri: `${REDIRECT_URI}/` },
      { redirect_uri: `${REDIRECT_URI}?x=1` },
      { redirect_uri: 'https://app.example/Callback' },
      { redirect_uri: 'https://app.example/%63allback' },
    ]) {
      const { isPage, page } = await refused(changes)
      assert.ok(isPage, JSON.stringify(changes))
      assert.ok(page.includes('Something went wrong'))
    }
  })

  test('needs PKCE with S256, and the type `code`', async () => {
    for (const [changes, error] of [
      [{ code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
      [{ code_challenge_method: 'plain' }, 'invalid_request'],
      [{ code_challenge_method: undefined }, 'invalid_request'],
      [{ response_type: 'token' }, 'unsupported_response_type'],
      [{ response_type: 'code id_token', nonce: 'n' }, 'unsupported_response_type'],
      [{ response_type: 'none' }, 'unsupported_response_type'],
    ] as const) {
      at.refusals.length = 0
      const { isPage, error: got } = await refused(changes)
      assert.equal(isPage, false)
      assert.equal(got, error, JSON.stringify(changes))
      const code = error === 'invalid_request' ? 'pkce_missing' : 'response_type_unsupported'
      assert.equal(at.refusals[0]?.code, code)
    }
  })

  test('names the FHIR server that its scopes are for, whichever way it spells the slash', async () => {
    const missing = await refused({ aud: undefined })
    assert.equal(missing.error, 'invalid_request')
    assert.ok(missing.answer.get('error_description')?.includes(at.fhir))
    assert.equal((await refused({ aud: 'https://evil.example/fhir' })).error, 'invalid_target')
    assert.equal((await refused({ aud: `${at.issuer}/admin/api` })).error, 'invalid_target')
    const differing = { aud: at.fhir, resource: 'https://evil.example' }
    assert.equal((await refused(differing)).error, 'invalid_target')
    for (const changes of [
      { aud: `${at.fhir}/` },
      { aud: undefined, resource: at.fhir },
      { aud: undefined, resource: `${at.fhir}/` },
      { aud: at.fhir, resource: at.fhir },
      { aud: undefined, scope: 'openid fhirUser' },
    ]) {
      const { status, body } = await launch(at, app, changes)
      assert.equal(status, 200, JSON.stringify({ changes, body }))
      assert.equal(claimsOf(body.access_token).aud, at.fhir)
    }
  })

  test('of which nothing can be granted is refused before anybody signs in', async () => {
    for (const scope of ['system/*.rs', 'admin/clients.read', 'patient/Nothing.rs', undefined]) {
      at.signIn.interactions.length = 0
      assert.equal((await refused({ scope })).error, 'invalid_scope', scope)
      assert.equal(at.signIn.interactions.length, 0)
    }
  })

  test('cannot choose who signs in, by `claims` or otherwise', async () => {
    at.signIn.decision = { context: { patient: 'p1' } }
    const claims = JSON.stringify({
      id_token: { sub: { value: 'u_peter' }, fhirUser: { value: 'Patient/9' } },
    })
    const { body } = await launch(at, app, { claims })
    assert.equal(claimsOf(body.id_token).sub, 'u_carla')
    assert.equal(claimsOf(body.id_token).fhirUser, `${at.fhir}/Practitioner/carla`)
  })

  test('with `prompt=none` shows nothing and grants nothing', async () => {
    at.signIn.interactions.length = 0
    assert.equal((await refused({ prompt: 'none' })).error, 'login_required')
    assert.equal(at.signIn.interactions.length, 0)
  })

  test('with a parameter twice is refused', async () => {
    const { params } = authorizationOf(at, app)
    const query = `${new URLSearchParams(params)}&scope=openid`
    const browser = createStubBrowser(at.issuer)
    const { url } = await browser.follow(`${at.issuer}/oauth/authorize?${query}`)
    assert.equal(new URL(url).searchParams.get('error'), 'invalid_request')
  })

  test('goes on only in the browser that began it', async () => {
    const { params } = authorizationOf(at, app)
    const mine = createStubBrowser(at.issuer)
    const start = await mine.request(`${at.issuer}/oauth/authorize?${new URLSearchParams(params)}`)
    assert.equal(start.status, 303)
    const uid = start.headers.get('location')?.split('/').at(-1)
    const theirs = createStubBrowser(at.issuer)
    const resumed = await theirs.request(`${at.issuer}/oauth/authorize/${uid}`)
    assert.equal(resumed.status, 400)
    const cookies = start.headers.getSetCookie().filter((line) => !/\.sig=/.test(line))
    assert.equal(cookies.length, 2, 'no session before anybody has signed in')
    for (const cookie of cookies) {
      assert.match(cookie, /httponly/i)
      assert.match(cookie, /samesite=lax/i)
      assert.match(cookie, new RegExp(`path=/oauth/(?:interaction|authorize)/${uid}`))
    }
  })

  test('on https gets cookies that browsers keep to this host', async () => {
    const secure = await startApps(storage, { issuer: 'https://as.example' })
    const { id } = await secure.addApp()
    secure.signIn.decision = { context: { patient: 'p1' } }
    const browser = createStubBrowser(secure.issuer)
    const lines: string[] = []
    const fetched = globalThis.fetch
    const request = authorizationOf(secure, id)
    const start = `${secure.issuer}/oauth/authorize?${new URLSearchParams(request.params)}`
    try {
      globalThis.fetch = async (...args) => {
        const response = await fetched(...args)
        lines.push(...response.headers.getSetCookie())
        return response
      }
      const { url } = await browser.follow(start, {}, [secure.address])
      assert.ok(new URL(url).searchParams.get('code'), url)
    } finally {
      globalThis.fetch = fetched
    }
    const names = new Set(lines.map((line) => line.split('=')[0]?.replace('.sig', '')))
    assert.deepEqual([...names].sort(), [
      '__Host-scopegate_engine',
      '__Secure-scopegate_interaction',
      '__Secure-scopegate_resume',
    ])
    for (const line of lines) {
      assert.match(line, /; secure/i, line)
      assert.match(line, /; httponly/i, line)
      assert.doesNotMatch(line, /; domain=/i, line)
    }
    secure.close()
  })

  test('that asks to choose the account is one like any other', async () => {
    const { status } = await launch(at, app, { prompt: 'select_account' })
    assert.equal(status, 200)
  })

  test('may come from any port of loopback, for an app that is installed there', async () => {
    const native = await at.addApp({ redirectUris: ['http://127.0.0.1/callback'] })
    at.signIn.decision = { context: { patient: 'p1' } }
    for (const port of [':49152', ':8000', '']) {
      const redirect_uri = `http://127.0.0.1${port}/callback`
      const { status, body } = await launch(at, native.id, { redirect_uri })
      assert.equal(status, 200, JSON.stringify(body))
    }
    const other = await refused({ redirect_uri: 'http://127.0.0.1:8000/other' }, native.id)
    assert.ok(other.isPage)
  })
})

describe('a code', () => {
  async function codeOf(changes: Record<string, string | undefined> = {}) {
    at.signIn.decision = { context: { patient: 'p1' } }
    const request = authorizationOf(at, app, changes)
    const { answer } = await authorize(at, request)
    return {
      grant_type: 'authorization_code',
      code: answer.get('code') ?? '',
      redirect_uri: REDIRECT_URI,
      code_verifier: request.verifier,
      client_id: app,
    }
  }

  test('is taken with its verifier, its redirect URI and by its client only', async () => {
    const other = (await at.addApp()).id
    const form = await codeOf()
    const { code_verifier: _, ...unverified } = form
    const { redirect_uri: __, ...unaddressed } = form
    for (const bad of [
      { ...form, code_verifier: 'x'.repeat(43) },
      { ...form, redirect_uri: `${REDIRECT_URI}/` },
      { ...form, client_id: other },
      unverified,
      unaddressed,
    ]) {
      at.refusals.length = 0
      const { status, body } = await exchange(at.address, bad as never)
      assert.equal(status, 400, JSON.stringify(body))
      assert.match(body.error, /^invalid_(?:grant|request)$/)
      assert.equal(at.refusals.length, 1)
    }
    assert.equal((await exchange(at.address, form)).status, 200, 'none of it used the code up')
  })

  test('works once; the second use ends what the first one got', async () => {
    const form = await codeOf()
    const first = await exchange(at.address, form)
    assert.equal(first.status, 200)
    at.refusals.length = 0
    const second = await exchange(at.address, form)
    assert.equal(second.body.error, 'invalid_grant')
    assert.equal(at.refusals[0]?.code, 'code_reused')
    const { refresh_token } = first.body
    const refreshed = await exchange(at.address, {
      grant_type: 'refresh_token',
      ...{ refresh_token, client_id: app },
    })
    assert.equal(refreshed.body.error, 'invalid_grant')
    const { revocations, issuer } = at.server
    const { jti, iat, grant_id, sub } = claimsOf(first.body.access_token) as Record<string, string>
    const token = { issuer, jti, grantId: grant_id, clientId: app, subject: sub, issuedAt: iat }
    assert.equal(await revocations.isRevoked(token as never), true, 'and the access token')
  })

  test('lives for a minute', async () => {
    const form = await codeOf()
    const { rows } = await storage.pool.query(
      `SELECT extract(epoch FROM expires_at - created_at)::float8 AS life FROM engine_model
        WHERE model = 'AuthorizationCode' ORDER BY created_at DESC LIMIT 1`,
    )
    assert.ok(rows[0].life <= 60)
    await storage.pool.query(
      `UPDATE engine_model SET expires_at = now() WHERE model = 'AuthorizationCode'`,
    )
    assert.equal((await exchange(at.address, form)).body.error, 'invalid_grant')
  })

  test('of a user who was disabled since gets nothing', async () => {
    const form = await codeOf()
    const carla = at.signIn.people.get('u_carla')!
    at.signIn.people.set('u_carla', { ...carla, disabled: true })
    const { body } = await exchange(at.address, form)
    at.signIn.people.set('u_carla', carla)
    assert.equal(body.error, 'invalid_grant')
    assert.match(body.error_description, /may no longer sign in/)
  })
})
