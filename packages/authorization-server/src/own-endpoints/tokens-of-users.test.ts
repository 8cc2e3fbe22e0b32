import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { LAUNCH_CONTEXT_MEMBERS } from '@scopegate/oauth-model'
import { testStorage } from '@scopegate/storage/testing'
import { createTokenVerifier, createUsedProofs, rfc9068Issuer } from '@scopegate/token-verify'
import { exchange, launch } from '../testing/launch-app.ts'
import { claimsOf, type StartedApps, startApps } from '../testing/start-apps.ts'

const storage = await testStorage()
let at: StartedApps
let app: string
let confidential: { client_id: string; client_secret: string }
let guard: { client_id: string; client_secret: string }

const CONTEXT = {
  patient: 'p1',
  encounter: 'e1',
  fhirContext: [{ reference: 'ImagingStudy/1', role: 'https://example.org/role' }],
  need_patient_banner: false,
  intent: 'reconcile-medications',
  smart_style_url: 'https://ehr.example/style.json',
  tenant: 'north',
}
const SCOPE =
  'openid fhirUser profile email launch/patient launch/encounter patient/Observation.rs offline_access'

before(async () => {
  at = await startApps(storage)
  app = (await at.addApp()).id
  const { id, secret } = await at.addApp({ public: false })
  confidential = { client_id: id, client_secret: secret }
  const added = await at.server.clients.add({
    name: 'Resource server',
    scopes: 'introspect',
    grants: ['client_credentials'],
  })
  assert.ok(added.ok)
  guard = { client_id: added.client.clientId, client_secret: added.clientSecret ?? '' }
})
after(() => at.close())

async function post(path: string, form: Record<string, string>, headers = {}) {
  const response = await fetch(`${at.address}${path}`, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers,
  })
  const text = await response.text()
  // biome-ignore lint/suspicious/noExplicitAny: a body is whatever came
  const body = (text === '' ? undefined : JSON.parse(text)) as any
  return { status: response.status, headers: response.headers, body }
}
const introspect = async (token: string, caller: Record<string, string> = guard) =>
  (await post('/oauth/introspect', { ...caller, token })).body
const revoke = (token: string, form: Record<string, string> = { client_id: app }) =>
  post('/oauth/revoke', { ...form, token })
async function userinfo(token: string, headers: Record<string, string> = {}, method = 'GET') {
  const response = await fetch(`${at.address}/oauth/userinfo`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...headers },
  })
  // biome-ignore lint/suspicious/noExplicitAny: a body is whatever came
  const body = (await response.json()) as any
  return { status: response.status, headers: response.headers, body }
}
async function tokensOf(changes: Record<string, string> = {}) {
  at.signIn.decision = { context: CONTEXT }
  const { status, body } = await launch(at, app, { scope: SCOPE, ...changes })
  assert.equal(status, 200, JSON.stringify(body))
  return body
}
const refresh = (token: string, form: Record<string, string> = { client_id: app }) =>
  exchange(at.address, { grant_type: 'refresh_token', refresh_token: token, ...form })

/** Scopes of more than 4 KiB, for which tokens are opaque. */
const LONG_SCOPE = [
  'openid fhirUser launch/patient',
  ...Array.from(
    { length: 60 },
    (_, i) =>
      `patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|made-up-${i}`,
  ),
].join(' ')

describe('introspection of what a user granted', () => {
  test('tells scope, user and every member of the launch as the token response did', async () => {
    const tokens = await tokensOf()
    const body = await introspect(tokens.access_token)
    assert.equal(body.active, true)
    assert.equal(body.scope, tokens.scope)
    assert.equal(body.client_id, app)
    assert.equal(body.token_type, 'Bearer')
    assert.equal(body.exp - body.iat, tokens.expires_in)
    for (const member of LAUNCH_CONTEXT_MEMBERS) {
      assert.deepEqual(body[member], tokens[member], member)
      assert.notEqual(body[member], undefined, member)
    }
    const id = claimsOf(tokens.id_token)
    for (const claim of ['iss', 'sub', 'fhirUser']) assert.equal(body[claim], id[claim], claim)
    assert.equal('grant_id' in body, false)
  })

  test('tells of an opaque token the same', async () => {
    const tokens = await tokensOf({ scope: LONG_SCOPE })
    assert.equal(tokens.access_token.includes('.'), false, 'it is opaque')
    const body = await introspect(tokens.access_token)
    assert.equal(body.active, true)
    assert.equal(body.scope, tokens.scope)
    assert.equal(body.aud, at.fhir)
    assert.equal(body.iss, at.issuer)
    assert.equal(body.sub, 'u_carla')
    assert.equal(body.fhirUser, `${at.fhir}/Practitioner/carla`)
    for (const member of LAUNCH_CONTEXT_MEMBERS) assert.deepEqual(body[member], tokens[member])
    assert.equal(JSON.stringify(body).includes(tokens.access_token), false)
  })

  test('tells of a refresh token, with and without a hint; of a used one no more', async () => {
    const tokens = await tokensOf()
    for (const hint of ['refresh_token', 'access_token', undefined]) {
      const form = { ...guard, token: tokens.refresh_token, ...(hint && { token_type_hint: hint }) }
      const { body } = await post('/oauth/introspect', form)
      assert.equal(body.active, true, hint)
      assert.equal(body.scope, tokens.scope)
      assert.equal(body.client_id, app)
      assert.equal(body.sub, 'u_carla')
      assert.equal(body.patient, 'p1')
      assert.equal(body.token_type, undefined)
    }
    const next = await refresh(tokens.refresh_token)
    assert.equal(next.status, 200, JSON.stringify(next.body))
    assert.deepEqual(await introspect(tokens.refresh_token), { active: false })
    assert.equal((await introspect(next.body.refresh_token)).active, true)
    assert.equal((await introspect(next.body.access_token)).patient, 'p1')
  })

  test('is for the client itself or a resource server, not for another app', async () => {
    const tokens = await tokensOf()
    assert.deepEqual(await introspect(tokens.access_token, confidential), { active: false })
    assert.deepEqual(await introspect(tokens.refresh_token, confidential), { active: false })
  })

  test('does not take an ID token for a token', async () => {
    assert.deepEqual(await introspect((await tokensOf()).id_token), { active: false })
  })
})

describe('revocation by an app', () => {
  test('of an access token ends that one, and the refresh token goes on', async () => {
    for (const scope of [SCOPE, `${LONG_SCOPE} offline_access`]) {
      const tokens = await tokensOf({ scope })
      assert.equal((await revoke(tokens.access_token)).status, 200)
      assert.deepEqual(await introspect(tokens.access_token), { active: false })
      assert.equal((await introspect(tokens.refresh_token)).active, true)
      assert.equal((await refresh(tokens.refresh_token)).status, 200)
    }
  })

  test('of a refresh token ends the grant: every access token, and no refresh goes', async () => {
    for (const scope of [SCOPE, `${LONG_SCOPE} offline_access`]) {
      const first = await tokensOf({ scope })
      const second = (await refresh(first.refresh_token)).body
      assert.equal((await revoke(second.refresh_token)).status, 200)
      for (const token of [first.access_token, second.access_token, second.refresh_token]) {
        assert.deepEqual(await introspect(token), { active: false })
      }
      const { status, body } = await refresh(second.refresh_token)
      assert.equal(status, 400)
      assert.equal(body.error, 'invalid_grant')
    }
  })

  test('of a refresh token that was rotated away ends the grant too', async () => {
    const first = await tokensOf()
    const second = (await refresh(first.refresh_token)).body
    assert.equal((await revoke(first.refresh_token)).status, 200)
    assert.deepEqual(await introspect(second.access_token), { active: false })
  })

  test('touches no other launch of the same app and user', async () => {
    const [one, two] = [await tokensOf(), await tokensOf()]
    await revoke(one.refresh_token)
    assert.equal((await introspect(two.access_token)).active, true)
    assert.equal((await refresh(two.refresh_token)).status, 200)
  })

  test('by another app is refused', async () => {
    const tokens = await tokensOf()
    const other = (await at.addApp()).id
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      const { status, body } = await revoke(token, { client_id: other })
      assert.equal(status, 400)
      assert.equal(body.error, 'invalid_grant')
    }
    assert.equal((await introspect(tokens.access_token)).active, true)
  })

  test('a grant that an operator ends takes its tokens along', async () => {
    const tokens = await tokensOf({ scope: LONG_SCOPE })
    const jwt = await tokensOf()
    for (const { id } of await at.server.grants.list({ userId: 'u_carla', clientId: app })) {
      await at.server.grants.revoke(id, 'operator')
    }
    for (const { access_token } of [tokens, jwt]) {
      assert.deepEqual(await introspect(access_token), { active: false })
      assert.equal((await userinfo(access_token)).status, 401)
    }
  })
})

describe('a verifier', () => {
  test('takes an opaque token of ours by resolveOpaque, until it is revoked', async () => {
    const { server } = at
    const verifier = createTokenVerifier({
      issuers: [
        { ...rfc9068Issuer(at.issuer, server.keySource), resolveOpaque: server.resolveOpaque },
      ],
      clockToleranceSeconds: 30,
      now: () => Math.floor(Date.now() / 1000),
      isRevoked: server.revocations.isRevoked,
    })
    const { access_token, scope } = await tokensOf({ scope: LONG_SCOPE })
    const verify = () =>
      verifier.verify(`Bearer ${access_token}`, { audiences: [at.fhir], issuers: [at.issuer] })
    const verdict = await verify()
    assert.ok(verdict.ok, JSON.stringify(verdict.checks))
    assert.equal(verdict.token.scope, scope)
    assert.equal(verdict.token.patient, 'p1')
    assert.equal(verdict.token.fhirUser, `${at.fhir}/Practitioner/carla`)
    await revoke(access_token)
    assert.equal((await verify()).checks.at(-1)?.code, 'token_revoked')
  })
})

describe('userinfo', () => {
  test('tells what the scopes bring, by GET and POST', async () => {
    const { access_token, id_token } = await tokensOf()
    for (const method of ['GET', 'POST']) {
      const { status, headers, body } = await userinfo(access_token, {}, method)
      assert.equal(status, 200)
      assert.match(headers.get('cache-control') ?? '', /no-store/)
      assert.deepEqual(body, {
        sub: claimsOf(id_token).sub,
        name: 'carla',
        preferred_username: 'carla',
        email: 'carla@example.org',
        email_verified: false,
        fhirUser: `${at.fhir}/Practitioner/carla`,
      })
    }
    const little = await tokensOf({ scope: 'openid launch/patient patient/Observation.rs' })
    assert.deepEqual((await userinfo(little.access_token)).body, { sub: 'u_carla' })
  })

  test('takes an opaque token', async () => {
    const { access_token } = await tokensOf({ scope: LONG_SCOPE })
    assert.equal((await userinfo(access_token)).body.sub, 'u_carla')
  })

  test('of a token without openid is 403, and says what to ask for', async () => {
    const { access_token } = await tokensOf({ scope: 'launch/patient patient/Observation.rs' })
    const { status, headers, body } = await userinfo(access_token)
    assert.equal(status, 403)
    assert.equal(body.error, 'insufficient_scope')
    assert.match(body.error_description, /openid/)
    assert.match(headers.get('www-authenticate') ?? '', /scope="openid"/)
    assert.equal(at.refusals.at(-1)?.code, 'scope_openid_missing')
    assert.equal(at.refusals.at(-1)?.clientId, app)
  })

  test('of a token whose user was disabled or is gone is 401', async () => {
    const { access_token } = await tokensOf()
    const carla = at.signIn.people.get('u_carla')
    assert.ok(carla)
    at.signIn.people.set('u_carla', { ...carla, disabled: true })
    assert.equal((await userinfo(access_token)).status, 401)
    at.signIn.people.delete('u_carla')
    const { status, body } = await userinfo(access_token)
    at.signIn.people.set('u_carla', carla)
    assert.equal(status, 401)
    assert.equal(body.error, 'invalid_token')
    assert.equal(at.refusals.at(-1)?.code, 'user_gone')
  })

  test('of an ID token, a refresh token or a revoked token is 401', async () => {
    const tokens = await tokensOf()
    await revoke(tokens.access_token)
    for (const token of [tokens.id_token, tokens.refresh_token, tokens.access_token]) {
      assert.equal((await userinfo(token)).status, 401)
    }
  })

  test('is read by pages of the app, and of no other origin', async () => {
    const { access_token } = await tokensOf()
    const allowed = await userinfo(access_token, { origin: 'https://app.example' })
    assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://app.example')
    assert.equal(allowed.headers.get('access-control-allow-credentials'), null)
    for (const origin of ['https://evil.example', 'null']) {
      const { headers } = await userinfo(access_token, { origin })
      assert.equal(headers.get('access-control-allow-origin'), null, origin)
    }
  })
})

describe('a token bound to a key', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  function proof(htm: string, path: string, token?: string) {
    const claims = {
      jti: randomUUID(),
      htm,
      htu: `${at.issuer}${path}`,
      iat: Math.floor(Date.now() / 1000),
      ...(token && { ath: createHash('sha256').update(token).digest('base64url') }),
    }
    const input = `${part({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty, crv, x, y } })}.${part(claims)}`
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
    return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`
  }
  async function boundToken(): Promise<string> {
    at.signIn.decision = { context: CONTEXT }
    const tokens = await tokensOf()
    const response = await fetch(`${at.address}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: tokens.refresh_token,
        client_id: app,
      }),
      headers: { dpop: proof('POST', '/oauth/token') },
    })
    // biome-ignore lint/suspicious/noExplicitAny: a body is whatever came
    const body = (await response.json()) as any
    assert.equal(response.status, 200, JSON.stringify(body))
    assert.equal(body.token_type, 'DPoP')
    return body.access_token
  }

  test('is told as such by introspection, which asks for no proof', async () => {
    const body = await introspect(await boundToken())
    assert.equal(body.active, true)
    assert.equal(body.token_type, 'DPoP')
    assert.ok(body.cnf.jkt)
  })

  test('opens userinfo with a proof, and not as a bearer token', async () => {
    const token = await boundToken()
    const dpop = proof('GET', '/oauth/userinfo', token)
    const good = await userinfo(token, { authorization: `DPoP ${token}`, dpop })
    assert.equal(good.status, 200, JSON.stringify(good.body))
    const again = await userinfo(token, { authorization: `DPoP ${token}`, dpop })
    assert.equal(again.status, 401)
    assert.equal(again.body.error, 'invalid_dpop_proof')
    assert.match(again.headers.get('www-authenticate') ?? '', /^DPoP .*error="invalid_dpop_proof"/)
    const asBearer = await userinfo(token, { dpop: proof('GET', '/oauth/userinfo', token) })
    assert.equal(asBearer.status, 401)
    assert.match(asBearer.headers.get('www-authenticate') ?? '', /^DPoP .*error="invalid_token"/)
  })

  test('opens the FHIR verifier only with a proof for its address', async () => {
    const { server } = at
    const verifier = createTokenVerifier({
      issuers: [rfc9068Issuer(at.issuer, server.keySource)],
      clockToleranceSeconds: 30,
      now: () => Math.floor(Date.now() / 1000),
      dpop: { usedProofs: createUsedProofs(Date.now) },
    })
    const token = await boundToken()
    const verify = (dpop: string) =>
      verifier.verify(
        `DPoP ${token}`,
        { audiences: [at.fhir], issuers: [at.issuer] },
        { request: { method: 'GET', url: `${at.fhir}/Patient/p1`, proof: dpop } },
      )
    assert.ok((await verify(proof('GET', '/fhir/r4/Patient/p1', token))).ok)
    assert.equal((await verify(proof('GET', '/fhir/r4/Patient/p2', token))).ok, false)
  })
})
