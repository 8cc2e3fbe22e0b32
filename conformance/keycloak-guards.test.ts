import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { createLabKey } from '@scopegate/lab'
import { openKeycloakAdmin } from './keycloak/keycloak-admin.ts'
import { signInAtKeycloak } from './keycloak/sign-in-at-keycloak.ts'
import { type Browser, isAway, type Page } from './support/browser.ts'
import { dpopProof } from './support/dpop-proof.ts'
import { openEchoApp } from './support/echo-app.ts'
import { navigate, send } from './support/navigate.ts'
import { browserOf, openSmartServer } from './support/open-smart-server.ts'
import { decodeJwt } from './support/smart-app.ts'

// A real Keycloak as the issuer of somebody else: its tokens guard the FHIR endpoint and an API,
// and it is the login of a web app. Realm: keycloak/records-realm.json.
const url = process.env.SCOPEGATE_KEYCLOAK_URL ?? ''
const skip = url === '' && 'SCOPEGATE_KEYCLOAK_URL is not set: run under tools/with-keycloak.sh'
const REALM = `${url}/realms/records`
const TOKEN_URL = `${REALM}/protocol/openid-connect/token`
const AUDIENCE = 'https://records.example'
const CALLBACK = 'http://127.0.0.1/viewer'

interface Tokens {
  readonly access_token: string
  readonly token_type: string
  readonly scope: string
  readonly id_token?: string
  readonly refresh_token?: string
}

async function ask(
  form: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
) {
  const answer = await fetch(TOKEN_URL, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers,
  })
  const body = await answer.text()
  assert.equal(answer.status, 200, body)
  return JSON.parse(body) as Tokens
}

/** Tokens of a client, by client credentials. */
const byCredentials = (client: string, scope: string, headers = {}) =>
  ask(
    {
      grant_type: 'client_credentials',
      client_id: client,
      client_secret: `the secret of ${client} at keycloak`,
      scope,
    },
    headers,
  )

/** Tokens of nora, by code and PKCE. */
async function byCode(scope: string): Promise<Tokens> {
  const verifier = randomBytes(32).toString('base64url')
  const request = new URL(`${REALM}/protocol/openid-connect/auth`)
  request.search = new URLSearchParams({
    response_type: 'code',
    client_id: 'viewer',
    redirect_uri: CALLBACK,
    scope,
    state: 's',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString()
  const { answered } = await signInAtKeycloak(request.href, 'nora')
  return ask({
    grant_type: 'authorization_code',
    client_id: 'viewer',
    redirect_uri: CALLBACK,
    code: answered.searchParams.get('code') ?? '',
    code_verifier: verifier,
  })
}

const NOTHING = {} as Awaited<ReturnType<typeof openAll>>
// Here and not in a hook, with which the database would end.
const { server, echo, admin, close } = skip ? NOTHING : await openAll()

async function openAll() {
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-keycloak-'))
  writeFileSync(join(folder, 'secret'), 'the secret of the desk at keycloak')
  const password = process.env.SCOPEGATE_KEYCLOAK_ADMIN_PASSWORD ?? ''
  const admin = await openKeycloakAdmin(url, password, 'records')
  await admin.addOptionalScope('viewer', 'user/Observation.rs')
  const echo = await openEchoApp()
  const server = await openSmartServer({
    r4: `trust: [self, keycloak], audiences: [${AUDIENCE}]`,
    yaml: `issuers:
  - name: keycloak
    preset: keycloak
    url: ${url}
    realm: records
    scopes: { map: { observer: system/Observation.rs } }
login:
  providers:
    - { name: keycloak, preset: keycloak, url: "${url}", realm: records, clientId: desk, secret: "file:${folder}/secret" }
apis:
  - name: bank
    path: /bank
    upstream: ${echo.url}
    auth:
      trust: [keycloak]
      audiences: [${AUDIENCE}]
      username: preferred_username
      roles: { from: /realm_access/roles, prefix: "kc:" }
    routes:
      - { path: /till, roles: ["kc:teller"] }
      - { path: /vault, roles: ["kc:director"] }
    forward: { headers: { X-User: username, X-Roles: roles } }
  - name: desk
    path: /desk
    upstream: ${echo.url}
    auth: { mode: login, username: preferred_username, login: { provider: keycloak, scopes: [openid, profile] } }
    routes: [{ path: "/*" }]
    forward: { headers: { X-User: username }, authorization: keep }
`,
  })
  await admin.setClientAttributes('desk', {
    'backchannel.logout.url': `${server.url}/desk/.scopegate/backchannel-logout`,
  })
  async function close() {
    await server.close()
    await echo.close()
    rmSync(folder, { recursive: true })
  }
  return { server, echo, admin, close }
}

describe('a real Keycloak that is trusted', { skip, timeout: 300_000 }, () => {
  after(() => close?.())

  const read = async (token: string, path = 'Observation') =>
    (await server.fhir(token, path)).status
  /** Code of the check that fails at the FHIR endpoint. */
  async function reason(token: string, path = '/fhir/r4/Observation'): Promise<unknown> {
    const body = { token, method: 'GET', url: path }
    const { checks } = await server.admin<{ checks: { outcome: string; code?: string }[] }>(
      'POST',
      '/explain',
      body,
    )
    return checks.find(({ outcome }) => outcome === 'fail')?.code
  }

  describe('its tokens at the FHIR endpoint', () => {
    test('client credentials with `openid`: the service account has what its role is mapped to', async () => {
      const tokens = await byCredentials('etl', 'openid')
      assert.ok(tokens.scope.split(' ').includes('openid'))
      assert.equal(await read(tokens.access_token), 200)
      assert.equal(await read(tokens.access_token, 'Patient'), 403)
      assert.equal(await reason(tokens.access_token), undefined)
    })

    test('a service account that its token does not show as one has no system scopes', async () => {
      const { access_token: token } = await byCredentials('nameless', 'openid')
      assert.equal(await read(token), 403)
      assert.equal(await reason(token), 'scope_unmapped')
    })

    test('a person has the scopes that were asked for, and no system scopes by a role', async () => {
      const tokens = await byCode('openid user/Observation.rs')
      const { claims } = decodeJwt(tokens.access_token)
      assert.ok(String(claims.scope).includes('user/Observation.rs'))
      const status = await read(tokens.access_token)
      assert.equal(status, 200, String(await reason(tokens.access_token)))
      assert.equal(await read(tokens.access_token, 'Patient'), 403)
      const without = await byCode('openid')
      assert.equal(await read(without.access_token), 403)
      assert.equal(await reason(without.access_token), 'scope_unmapped')
    })

    test('its ID tokens and refresh tokens are none', async () => {
      const tokens = await byCode('openid user/Observation.rs')
      for (const token of [tokens.id_token, tokens.refresh_token]) {
        assert.ok(token)
        assert.equal(await read(token), 401)
      }
    })

    test('a token for nobody in particular is told what it is for, and what to do', async () => {
      const { access_token: token } = await byCredentials('stranger', 'openid')
      assert.equal(await read(token), 401)
      assert.match(String(await reason(token)), /^(audience_mismatch|claim_missing)$/)
    })

    test('a token of another realm of the same Keycloak is of an unknown issuer', async () => {
      const answer = await fetch(`${url}/realms/clinic/protocol/openid-connect/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: 'scopegate',
          client_secret: 'the secret of scopegate at keycloak',
        }),
      })
      const { access_token: token } = (await answer.json()) as Tokens
      assert.equal(await read(token), 401)
      assert.equal(await reason(token), 'issuer_unknown')
    })

    test('a token bound to a key works with a proof of that key, and as Bearer never', async () => {
      const key = createLabKey('ES256')
      const tokens = await byCredentials('etl', 'openid', {
        DPoP: dpopProof(key, 'POST', TOKEN_URL),
      })
      assert.equal(tokens.token_type, 'DPoP')
      const { access_token: token } = tokens
      const at = `${server.fhirUrl}/Observation`
      const asked = (proofKey: typeof key) =>
        fetch(at, {
          headers: {
            authorization: `DPoP ${token}`,
            dpop: dpopProof(proofKey, 'GET', at, { token }),
          },
        })
      assert.equal((await asked(key)).status, 200)
      assert.equal((await asked(createLabKey('ES256'))).status, 401)
      assert.equal(await read(token), 401)
    })

    test('a new key of the realm is taken with the first token that it signs', async () => {
      const before = (await byCredentials('etl', 'openid')).access_token
      assert.equal(await read(before), 200)
      await admin.rotateKey()
      const { access_token: token } = await byCredentials('etl', 'openid')
      assert.notEqual(decodeJwt(token).header.kid, decodeJwt(before).header.kid)
      assert.equal(await read(token), 200)
      assert.equal(await read(before), 200, 'the old key is still in the set')
    })
  })

  test('its roles open routes of an ordinary API', async () => {
    const { access_token: token } = await byCode('openid')
    const get = (path: string) =>
      fetch(`${server.url}/bank${path}`, { headers: { authorization: `Bearer ${token}` } })
    const till = await get('/till')
    assert.equal(till.status, 200)
    const { headers } = (await till.json()) as { headers: Record<string, string> }
    assert.equal(headers['x-user'], 'nora')
    assert.ok(headers['x-roles']?.split(',').includes('kc:teller'), headers['x-roles'])
    assert.equal(headers.authorization, undefined)
    assert.equal((await get('/vault')).status, 403)
  })

  describe('it is the login of a web app', () => {
    /** Opens a page of the app as nora, who signs in at Keycloak. */
    async function signIn(path: string): Promise<{ browser: Browser; page: Page; sid: string }> {
      const browser = browserOf(server, navigate)
      const there = await browser.open(`${server.url}${path}`)
      assert.ok(isAway(there))
      assert.equal(there.away.searchParams.get('code_challenge_method'), 'S256')
      const { answered } = await signInAtKeycloak(there.away.href, 'nora')
      const page = await browser.open(answered.href)
      assert.ok(!isAway(page))
      const [row] = await server.sql('SELECT sid FROM web_session ORDER BY started_ms DESC LIMIT 1')
      return { browser, page, sid: String(row?.sid) }
    }
    /** What a script of the app gets. */
    async function script(browser: Browser, path: string, init: RequestInit = {}) {
      const cookie = browser.cookies.header(`${server.url}${path}`) ?? ''
      const headers = { accept: 'application/json', cookie, origin: server.url }
      return send(`${server.url}${path}`, {}, { ...init, headers })
    }
    async function until(over: () => Promise<boolean>): Promise<void> {
      while (!(await over())) await wait(100)
    }

    test('a deep link comes back whole; the app knows the person and gets the token', async () => {
      const { page } = await signIn('/desk/reports/7?from=2026')
      assert.equal(page.url, `${server.url}/desk/reports/7?from=2026`)
      assert.equal(page.status, 200)
      const seen = echo.requests.at(-1)
      assert.equal(seen?.headers['x-user'], 'nora')
      const token = String(seen?.headers.authorization).replace('Bearer ', '')
      assert.equal(decodeJwt(token).claims.iss, REALM)
    })

    test('its tokens are refreshed without anybody noticing, refresh tokens with them', async () => {
      const { browser } = await signIn('/desk/')
      for (const generation of [1, 2]) {
        await server.sql('UPDATE web_session SET refresh_ms = 0')
        assert.equal((await script(browser, '/desk/x')).status, 200)
        await until(async () => {
          const [row] = await server.sql(
            'SELECT generation FROM web_session ORDER BY started_ms DESC LIMIT 1',
          )
          return row?.generation === generation
        })
      }
      assert.equal((await script(browser, '/desk/x')).status, 200)
    })

    test('logout in the app ends the session at Keycloak, by the ID token of the sign-in', async () => {
      const { browser } = await signIn('/desk/')
      const answer = await script(browser, '/desk/.scopegate/logout', { method: 'POST' })
      const { logoutUrl } = (await answer.json()) as { logoutUrl: string }
      assert.ok(new URL(logoutUrl).searchParams.get('id_token_hint'))
      const there = await fetch(logoutUrl, { redirect: 'manual' })
      assert.equal(
        there.headers.get('location'),
        `${server.url}/desk/.scopegate/logged-out`,
        'Keycloak knows by the hint who it is, and asks nothing',
      )
      assert.equal((await script(browser, '/desk/x')).status, 401)
    })

    test('a session that Keycloak ends is over here too', async () => {
      const { browser, sid } = await signIn('/desk/')
      assert.equal((await script(browser, '/desk/x')).status, 200)
      await admin.endSession(sid)
      await until(async () => (await script(browser, '/desk/x')).status === 401)
    })
  })
})
