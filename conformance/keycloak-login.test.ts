import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import {
  createUpstreamLogins,
  LoginRefused,
  LogoutTokenRefused,
  type UpstreamProvider,
} from '@scopegate/oidc-login'
import { createSealer } from '@scopegate/secrets'
import { openKeycloakAdmin } from './keycloak/keycloak-admin.ts'
import { signInAtKeycloak } from './keycloak/sign-in-at-keycloak.ts'
import { isAway } from './support/browser.ts'
import { walkPages } from './support/launch-app.ts'
import { browserOf, openSmartServer } from './support/open-smart-server.ts'
import { decodeJwt } from './support/smart-app.ts'

const url = process.env.SCOPEGATE_KEYCLOAK_URL ?? ''
const skip = url === '' && 'SCOPEGATE_KEYCLOAK_URL is not set: run under tools/with-keycloak.sh'
const SECRET = 'the secret of scopegate at keycloak'

/** Waits for what Keycloak does when it likes: sending its logout tokens. */
async function until(awaited: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await awaited()) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  assert.fail('it did not come within 60 s')
}

describe('the whole server with a real Keycloak', { skip }, () => {
  test('an app is launched by a user of Keycloak, who is signed out here when Keycloak says so', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'scopegate-keycloak-'))
    t.after(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'secret'), SECRET)
    const server = await openSmartServer({
      yaml: `login:
  providers:
    - name: keycloak
      preset: keycloak
      url: ${url}
      realm: clinic
      clientId: scopegate
      secret: file:${folder}/secret
      claims: { fhirUser: fhirUser, roles: /realm_access/roles }
`,
    })
    t.after(() => server.close())
    const admin = await openKeycloakAdmin(url, process.env.SCOPEGATE_KEYCLOAK_ADMIN_PASSWORD ?? '')
    await admin.setClientAttributes('scopegate', {
      'backchannel.logout.url': `${server.url}/oauth/login/keycloak/backchannel-logout`,
    })

    const scope = 'openid fhirUser launch/patient patient/Patient.rs'
    const app = await server.app({ scopes: scope })
    const request = app.authorize({ scope })
    const browser = browserOf(server)
    const login = await browser.open(request.url)
    assert.ok(!isAway(login))
    const button = login.links.find(({ text }) => text.includes('Keycloak'))
    const there = await browser.open(new URL(button?.href ?? '', login.url).href)
    assert.ok(isAway(there))
    const { answered } = await signInAtKeycloak(there.away.href, 'nora')
    const nobody = { id: '', username: '', password: '' }
    const next = await browser.open(answered.href)
    const { away } = await walkPages(browser, next, nobody, { patient: 'patient-1' })
    const { json } = await app.exchange(away.searchParams.get('code') ?? '', request)
    assert.equal(json.patient, 'patient-1')
    const { claims } = decodeJwt(String(json.id_token))
    assert.equal(claims.fhirUser, `${server.fhirUrl}/Practitioner/pract-2`)
    assert.equal((await server.fhir(json.access_token, 'Patient/patient-1')).status, 200)

    const account = async () => {
      const page = await browser.open(`${server.url}/account`)
      return !isAway(page) && new URL(page.url).pathname === '/account'
    }
    assert.equal(await account(), true)
    const [session] = await server.sql('SELECT upstream FROM identity_session')
    assert.ok(session)
    const { sid } = session.upstream as { sid: string }
    await admin.endSession(sid)
    await until(async () => !(await account()))
  })
})

describe('signing in at a real Keycloak', { skip }, () => {
  const sealer = createSealer([{ id: 'k1', key: randomBytes(32) }])
  const open = (provider: Partial<UpstreamProvider> = {}, callback = 'https://fhir.example') =>
    createUpstreamLogins({
      providers: [
        {
          name: 'keycloak',
          preset: 'keycloak',
          url,
          realm: 'clinic',
          clientId: 'scopegate',
          authentication: { method: 'secret', secret: SECRET },
          claims: { fhirUser: 'fhirUser', roles: '/realm_access/roles' },
          ...provider,
        },
      ],
      sealer,
      callbackUrl: (name) => `${callback}/oauth/login/${name}/callback`,
      nowMs: Date.now,
      timeoutMs: 30_000,
    })
  const signIn = async (logins: ReturnType<typeof open>, username: string) => {
    const { redirectTo, state } = await logins.begin('keycloak', { returnTo: '/account' })
    const { answered } = await signInAtKeycloak(redirectTo, username)
    return logins.complete('keycloak', answered, state)
  }
  const refusalOf = async (run: Promise<unknown>): Promise<LoginRefused> => {
    const error = await run.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof LoginRefused, String(error))
    return error
  }

  test('gives the user with the claims that are mapped', async () => {
    const done = await signIn(open(), 'nora')
    assert.equal(done.issuer, `${url}/realms/clinic`)
    assert.match(done.subject, /^[0-9a-f-]{36}$/)
    const { roles, ...claims } = done.claims
    assert.deepEqual(claims, {
      username: 'nora',
      name: 'Nora Nurse',
      email: 'nora@clinic.example',
      fhirUser: 'Practitioner/pract-2',
    })
    assert.ok(roles.includes('nurse') && !roles.includes('physician'))
    assert.equal(done.returnTo, '/account')
    assert.ok(done.upstreamSessionId)
  })

  test('translates roles, and drops those that are not listed', async () => {
    const roles = { from: '/realm_access/roles', values: { physician: 'clinician' } }
    const done = await signIn(open({ claims: { roles } }), 'paul')
    assert.deepEqual(done.claims.roles, ['clinician'])
    assert.equal(done.claims.fhirUser, undefined, 'what is not mapped is not taken')
  })

  test('knows the same person again, and does not pass on an unverified address', async () => {
    const [first, second] = [await signIn(open(), 'umut'), await signIn(open(), 'umut')]
    assert.equal(first.subject, second.subject)
    assert.equal(first.claims.email, undefined)
    assert.equal(first.claims.fhirUser, undefined)
    assert.match(first.remarks.join(), /`email_verified`/)
  })

  test('a wrong password ends at Keycloak', async () => {
    const { redirectTo } = await open().begin('keycloak', { returnTo: '/account' })
    await assert.rejects(
      signInAtKeycloak(redirectTo, 'nora', 'guessed'),
      /Invalid username or password/,
    )
  })

  test('a redirect URI that is not registered is shown at Keycloak', async () => {
    const logins = open({}, 'https://elsewhere.example')
    const { redirectTo } = await logins.begin('keycloak', { returnTo: '/account' })
    await assert.rejects(signInAtKeycloak(redirectTo, 'nora'), /Invalid parameter: redirect_uri/)
  })

  test('the loopback redirect URI works on any port', async () => {
    const done = await signIn(open({}, 'http://127.0.0.1:45678'), 'nora')
    assert.equal(done.claims.username, 'nora')
  })

  test('a wrong secret, an unknown realm and another issuer are told apart', async () => {
    const authentication = { method: 'secret', secret: 'not the secret' } as const
    const secret = await refusalOf(signIn(open({ authentication }), 'nora'))
    assert.equal(secret.reason, 'client_refused')
    assert.match(secret.message, /unauthorized_client/)
    assert.match(secret.fix, /Credentials tab/)
    const begin = (provider: Partial<UpstreamProvider>) =>
      refusalOf(open(provider).begin('keycloak', { returnTo: '/' }))
    assert.equal((await begin({ realm: 'nowhere' })).reason, 'discovery_unusable')
    const slash = await begin({ issuer: `${url}/realms/clinic/` })
    assert.equal(slash.reason, 'discovery_mismatch')
    assert.match(slash.message, /expected issuer `.*clinic\/`, got issuer `.*clinic`/)
  })

  test('a code works once, also for Keycloak', async () => {
    const logins = open()
    const { redirectTo, state } = await logins.begin('keycloak', { returnTo: '/account' })
    const { answered } = await signInAtKeycloak(redirectTo, 'nora')
    await logins.complete('keycloak', answered, state)
    // Another process knows nothing of the first use; Keycloak does.
    const again = await refusalOf(open().complete('keycloak', answered, state))
    assert.equal(again.reason, 'upstream_code_refused')
    assert.match(again.message, /Code not valid/)
  })

  test('the logout address ends the session there and leads back', async () => {
    const logins = open()
    const { redirectTo, state } = await logins.begin('keycloak', { returnTo: '/account' })
    const { answered, cookies } = await signInAtKeycloak(redirectTo, 'nora')
    const done = await logins.complete('keycloak', answered, state)
    const address = await logins.logoutUrl('keycloak', {
      returnTo: 'https://fhir.example/signed-out',
      ...(done.logoutHint === undefined ? {} : { logoutHint: done.logoutHint }),
    })
    assert.ok(address)
    const response = await fetch(address, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    })
    assert.equal(response.headers.get('location'), 'https://fhir.example/signed-out')
  })

  describe('back-channel logout', () => {
    let admin: Awaited<ReturnType<typeof openKeycloakAdmin>>
    before(async () => {
      admin = await openKeycloakAdmin(url, process.env.SCOPEGATE_KEYCLOAK_ADMIN_PASSWORD ?? '')
    })

    test('Keycloak ends a session: its logout token names it, once', async (t) => {
      const posted: string[] = []
      const server = createServer(async (request, response) => {
        let body = ''
        for await (const chunk of request) body += chunk
        response.end()
        posted.push(new URLSearchParams(body).get('logout_token') ?? '')
      })
      t.after(() => server.close())
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      await admin.setClientAttributes('scopegate', {
        'backchannel.logout.url': `http://127.0.0.1:${port}/logout`,
      })
      const logins = open()
      const done = await signIn(logins, 'paul')
      assert.ok(done.upstreamSessionId)
      await admin.endSession(done.upstreamSessionId)
      await until(async () => posted.length > 0)
      const [token = ''] = posted
      assert.deepEqual(await logins.verifyLogoutToken('keycloak', token), {
        provider: 'keycloak',
        issuer: done.issuer,
        subject: done.subject,
        sessionId: done.upstreamSessionId,
      })
      await assert.rejects(
        logins.verifyLogoutToken('keycloak', token),
        (error) => error instanceof LogoutTokenRefused && error.reason === 'logout_token_replayed',
      )
      const [header, payload] = token.split('.')
      const forged = `${header}.${payload}.${randomBytes(256).toString('base64url')}`
      await assert.rejects(
        logins.verifyLogoutToken('keycloak', forged),
        (error) => error instanceof LogoutTokenRefused && error.reason === 'logout_token_signature',
      )
    })

    test('private_key_jwt authenticates the client', async () => {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' }
      const clientId = `scopegate-${randomBytes(6).toString('hex')}`
      await admin.addClient({
        clientId,
        clientAuthenticatorType: 'client-jwt',
        redirectUris: ['https://fhir.example/oauth/login/keycloak/callback'],
        attributes: {
          'use.jwks.string': 'true',
          'jwks.string': JSON.stringify({ keys: [jwk] }),
          'token.endpoint.auth.signing.alg': 'ES256',
        },
      })
      const byKey = (key: typeof privateKey) =>
        open({
          clientId,
          authentication: {
            method: 'private_key_jwt',
            privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
            keyId: 'k1',
          },
        })
      assert.equal((await signIn(byKey(privateKey), 'nora')).claims.username, 'nora')
      const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
      assert.equal((await refusalOf(signIn(byKey(other), 'nora'))).reason, 'client_refused')
    })
  })
})
