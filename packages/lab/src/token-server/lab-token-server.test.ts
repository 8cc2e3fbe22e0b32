import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash, createPrivateKey, randomUUID, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import {
  createLabKey,
  createLabTokenServer,
  LAB_ANSWER_FAULTS,
  LAB_STATE_PATH,
  type LabAnswerFault,
  type LabKey,
  type LabTokenServer,
  type LabTokenServerOptions,
  publicJwk,
  serveLabTokenServer,
  signed,
} from '@scopegate/lab'

const NOW = 1_800_000_000
const KEYS = [createLabKey('ES256')]

function open(options: Partial<LabTokenServerOptions> = {}) {
  const clock = { now: NOW }
  const lab = createLabTokenServer({
    flavour: 'generic',
    issuer: 'https://idp.example',
    keys: KEYS,
    now: () => clock.now,
    ...options,
  })
  return { lab, clock }
}

const post = (lab: LabTokenServer, form: Record<string, string>) =>
  lab.fetch(new Request(lab.tokenEndpoint, { method: 'POST', body: new URLSearchParams(form) }))

const app = { grant_type: 'client_credentials', client_id: 'app', client_secret: 's' }

async function ask(lab: LabTokenServer, form: Record<string, string> = app) {
  const response = await post(lab, form)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const claimsOf = (token: unknown) =>
  JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString())

test('counts what comes, remembers it, and knows which token is the newest', async () => {
  const { lab, clock } = open({ accessTokenSeconds: 4 })
  const first = await ask(lab, { ...app, scope: 'a' })
  const other = await ask(lab, { ...app, scope: 'b' })
  const second = await ask(lab, { ...app, scope: 'a' })
  assert.equal(first.body.expires_in, 4)
  const read = (answer: typeof first) => lab.readAccessToken(String(answer.body.access_token))
  assert.equal(read(first)?.isNewest, false)
  assert.equal(read(second)?.isNewest, true)
  assert.equal(read(other)?.isNewest, true)
  assert.deepEqual(
    lab.requests.map(({ form, status }) => [form.scope, status]),
    [
      ['a', 200],
      ['b', 200],
      ['a', 200],
    ],
  )
  assert.deepEqual(lab.counts, {
    requests: 3,
    issued: 3,
    refused: 0,
    inFlight: 0,
    maxInFlight: 1,
  })
  clock.now += 5
  assert.equal(read(second), undefined, 'expired')
  const third = await ask(lab)
  lab.revokeAccessTokens()
  assert.equal(read(third), undefined, 'revoked')
})

test('a refresh token that was rotated is known, and its second use ends the family', async () => {
  const { lab } = open({ refreshTokens: { rotate: true } })
  const first = lab.mintRefreshToken({ clientId: 'app', scopes: ['a', 'b'], userId: 'nora' })
  const form = (refresh_token: unknown) => ({
    ...{ grant_type: 'refresh_token', client_id: 'app', client_secret: 's' },
    refresh_token: String(refresh_token),
  })
  assert.equal((await ask(lab, { ...form(first), client_id: 'another' })).status, 400)
  const second = await ask(lab, form(first))
  assert.equal(second.status, 200)
  assert.equal(claimsOf(second.body.access_token).scope, 'a b')
  assert.equal((await ask(lab, { ...form(second.body.refresh_token), scope: 'c' })).status, 400)
  const again = await ask(lab, form(first))
  assert.equal(again.body.error, 'invalid_grant')
  const dead = await ask(lab, form(second.body.refresh_token))
  assert.equal(dead.body.error, 'invalid_grant')
})

test('without rotation a refresh token goes on, until nobody used it for too long', async () => {
  const { lab, clock } = open({ refreshTokens: { idleSeconds: 100, forApps: true } })
  const { body } = await ask(lab)
  const form = {
    ...app,
    grant_type: 'refresh_token',
    refresh_token: String(body.refresh_token),
  }
  clock.now += 90
  const next = await ask(lab, form)
  assert.equal(next.status, 200)
  assert.equal(next.body.refresh_token, undefined)
  clock.now += 90
  assert.equal((await ask(lab, form)).status, 200)
  clock.now += 101
  assert.equal((await ask(lab, form)).body.error, 'invalid_grant')
})

describe('assertions', () => {
  const claims = (lab: LabTokenServer, more = {}) => ({
    iss: 'app',
    sub: 'app',
    aud: lab.tokenEndpoint,
    jti: randomUUID(),
    nbf: NOW,
    iat: NOW,
    exp: NOW + 300,
    ...more,
  })
  const form = (client_assertion: string, scope = 'a') => ({
    ...{ grant_type: 'client_credentials', client_id: 'app', scope, client_assertion },
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  })

  test('work once', async () => {
    const key = createLabKey('ES384')
    const { lab } = open({
      clients: [{ clientId: 'app', keys: [publicJwk(key)], redirectUris: [] }],
    })
    const assertion = signed({ alg: 'ES384', kid: key.kid }, claims(lab), key)
    assert.equal((await ask(lab, form(assertion))).status, 200)
    const again = await ask(lab, form(assertion))
    assert.deepEqual([again.status, again.body.error], [401, 'invalid_client'])
    assert.equal(lab.requests[0]?.assertion?.claims.jti, lab.requests[1]?.assertion?.claims.jti)
  })

  test('Keycloak takes exactly one audience, and wants a jti', async () => {
    const key = createLabKey('RS256')
    const { lab } = open({
      flavour: 'keycloak',
      issuer: 'https://idp.example/realms/lab',
      clients: [{ clientId: 'app', keys: [publicJwk(key)], redirectUris: [] }],
    })
    const send = (more: object) =>
      ask(lab, form(signed({ alg: 'RS256', kid: key.kid }, claims(lab, more), key)))
    assert.equal((await send({ aud: lab.issuer })).status, 200)
    const two = await send({ aud: [lab.issuer, lab.tokenEndpoint] })
    assert.equal(two.body.error_description, 'Invalid token audience')
    assert.equal((await send({ jti: undefined })).status, 400)
  })

  describe('with a certificate, as Entra', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lab-certificate-'))
    after(() => rmSync(folder, { recursive: true }))
    const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')]
    const subject = ['-nodes', '-subj', '/CN=app', '-days', '2']
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', ...subject, ...files], {
      stdio: 'ignore',
    })
    const pem = readFileSync(join(folder, 'cert.pem'), 'utf8')
    const certificate = new X509Certificate(pem)
    const thumbprint = createHash('sha256').update(certificate.raw).digest('base64url')
    const tenant = '11111111-2222-4333-8444-555555555555'
    const key = keyFrom(readFileSync(join(folder, 'key.pem'), 'utf8'))
    const { lab } = open({
      flavour: 'entra-v2',
      issuer: `https://login.example/${tenant}/v2.0`,
      keys: [createLabKey('RS256')],
      clients: [{ clientId: 'app', certificates: [pem], redirectUris: [] }],
    })
    const scope = 'api://fhir/.default'
    const send = async (header: object, more: object = {}) => {
      const full = { typ: 'JWT', alg: 'PS256', ...header }
      const { status, body } = await ask(
        lab,
        form(signed(full, claims(lab, more), { ...key, alg: full.alg as 'PS256' }), scope),
      )
      return status === 200 ? 200 : (body.error_codes as number[])[0]
    }

    test('PS256 and x5t#S256 to the token endpoint for ten minutes at most are taken', async () => {
      assert.equal(await send({ 'x5t#S256': thumbprint }), 200)
      assert.equal(await send({ 'x5t#S256': thumbprint }, { exp: NOW + 600 }), 200)
    })
    test('another or no thumbprint, another audience and a long life are refused', async () => {
      assert.equal(await send({}), 700027)
      assert.equal(await send({ 'x5t#S256': thumbprint.replaceAll('A', 'B').slice(1) }), 700027)
      assert.equal(await send({ 'x5t#S256': thumbprint }, { aud: lab.issuer }), 50013)
      assert.equal(await send({ 'x5t#S256': thumbprint }, { exp: NOW + 610 }), 700024)
      assert.equal(await send({ 'x5t#S256': thumbprint }, { nbf: NOW + 60 }), 700024)
    })
  })
})

test('in the manner of Keycloak behind another host, an ID token of that host comes along', async () => {
  const { lab } = open({
    flavour: 'keycloak',
    issuer: 'https://sso.public.example/realms/lab',
    origin: 'http://keycloak.internal:8080',
  })
  assert.match(lab.tokenEndpoint, /^http:\/\/keycloak\.internal:8080\/realms\/lab\//)
  const { body } = await ask(lab, { ...app, scope: 'openid' })
  assert.equal(claimsOf(body.id_token).iss, 'https://sso.public.example/realms/lab')
  assert.equal(claimsOf(body.access_token).iss, 'https://sso.public.example/realms/lab')
  assert.equal((await ask(lab, { ...app, scope: 'other' })).body.id_token, undefined)
})

test('a client that decodes nothing in HTTP Basic', async () => {
  const { lab } = open({
    clients: [
      { clientId: 'raw', secret: 'a%2Fb+c', redirectUris: [], rawBasic: true },
      { clientId: 'app', secret: 'a/b c', redirectUris: [] },
    ],
  })
  const basic = async (pair: string) => {
    const authorization = `Basic ${Buffer.from(pair).toString('base64')}`
    const body = new URLSearchParams({ grant_type: 'client_credentials' })
    const init = { method: 'POST', headers: { authorization }, body }
    return (await lab.fetch(new Request(lab.tokenEndpoint, init))).status
  }
  assert.equal(await basic('raw:a%2Fb+c'), 200)
  assert.equal(await basic('app:a%2Fb+c'), 200)
  assert.equal(await basic('raw:a%252Fb%2Bc'), 401)
  assert.equal(await basic('app:a%'), 401)
})

describe('conditions', () => {
  test('answers to order come first, each once', async () => {
    const { lab } = open()
    lab.say({ status: 503, headers: { 'retry-after': '7' } }, { body: { access_token: 'x' } })
    const first = await post(lab, app)
    assert.deepEqual([first.status, first.headers.get('retry-after')], [503, '7'])
    assert.equal((await ask(lab)).body.access_token, 'x')
    assert.equal((await ask(lab)).body.token_type, 'Bearer')
  })

  test('a lost answer leaves the rotation done', async () => {
    const { lab } = open({ refreshTokens: { rotate: true } })
    const refresh_token = lab.mintRefreshToken({ clientId: 'app' })
    const form = { ...app, grant_type: 'refresh_token', refresh_token }
    lab.conditions.outage = 'answer_lost'
    await assert.rejects(post(lab, form), { name: 'ConnectionDropped' })
    lab.conditions.outage = undefined
    assert.equal((await ask(lab, form)).body.error, 'invalid_grant')
  })

  test('every odd answer is odd', async () => {
    const { lab } = open()
    const usual = await (await post(lab, { ...app, scope: 'a b' })).text()
    for (const fault of Object.keys(LAB_ANSWER_FAULTS) as LabAnswerFault[]) {
      lab.answerFaults.clear()
      lab.answerFaults.add(fault)
      const response = await post(lab, { ...app, scope: 'a b' })
      const type = response.headers.get('content-type')
      const shape = (text: string) => text.replace(/"access_token":"ey[^"]*"/, '')
      const isOdd =
        response.status !== 200 ||
        type !== 'application/json' ||
        shape(await response.text()) !== shape(usual)
      assert.ok(isOdd, fault)
    }
  })

  test('on a socket: silence ends with the caller, a dropped connection has no answer', async (t) => {
    const lab = await serveLabTokenServer({ keys: KEYS })
    t.after(() => lab.close())
    const body = new URLSearchParams(app)
    const send = (signal?: AbortSignal) =>
      fetch(lab.tokenEndpoint, { method: 'POST', body, ...(signal && { signal }) })
    lab.conditions.outage = 'dropped'
    await assert.rejects(send())
    lab.conditions.outage = 'silent'
    await assert.rejects(send(AbortSignal.timeout(50)))
    lab.conditions.outage = undefined
    assert.equal((await send()).status, 200)
  })

  test('over HTTP they are read and changed', async () => {
    const { lab } = open()
    const url = new URL(LAB_STATE_PATH, lab.tokenEndpoint)
    const change = async (wish: unknown) => {
      const headers = { 'content-type': 'application/json' }
      const init = { method: 'POST', headers, body: JSON.stringify(wish) }
      const response = await lab.fetch(new Request(url, init))
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    }
    await ask(lab)
    const state = await (await lab.fetch(new Request(url))).json()
    assert.equal((state as typeof lab).counts.issued, 1)
    await change({ outage: 'busy', retryAfter: '3', faults: ['scope_list'], delayMs: 5 })
    const busy = await post(lab, app)
    assert.deepEqual([busy.status, busy.headers.get('retry-after')], [429, '3'])
    await change({ outage: null, faults: [], forget: true })
    assert.equal((await ask(lab)).status, 200)
    assert.equal(lab.counts.requests, 1)
    const wrong = await change({ outage: 'sometimes' })
    assert.equal(wrong.status, 400)
    assert.match(String(wrong.body.error), /one of unavailable/)
  })
})

function keyFrom(pem: string): LabKey {
  const jwk = createPrivateKey(pem).export({ format: 'jwk' })
  return { ...jwk, kid: 'k', alg: 'PS256', use: 'sig' }
}
