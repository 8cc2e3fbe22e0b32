import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { type ServedLabOpenIdProvider, serveLabOpenIdProvider } from '@scopegate/lab'
import { createSharedUseOnce, createUpstreamLogins, LoginRefused } from '@scopegate/oidc-login'
import { createSealer } from '@scopegate/secrets'
import { testStorage } from '@scopegate/storage/testing'
import { ANA } from '../testing/fixed-directory.ts'
import { authorizationOf, exchange, REDIRECT_URI } from '../testing/launch-app.ts'
import { createPageBrowser, type PageBrowser } from '../testing/page-browser.ts'
import { PASSWORD, type StartedWithPeople, startWithPeople } from '../testing/start-with-people.ts'
import { upstreamCallbackPath } from './upstream-callback.ts'
import { upstreamLogoutPath } from './upstream-logout.ts'

const storage = await testStorage()
let lab: ServedLabOpenIdProvider
let at: StartedWithPeople
let app: string

before(async () => {
  lab = await serveLabOpenIdProvider({ flavour: 'keycloak' })
  const upstreamLogins = createUpstreamLogins({
    providers: [
      {
        name: 'clinic',
        preset: 'keycloak',
        label: 'Clinic account',
        issuer: lab.issuer,
        clientId: 'scopegate',
        authentication: { method: 'secret', secret: 'any secret will do at the lab' },
        claims: { fhirUser: 'fhirUser', roles: '/realm_access/roles' },
      },
    ],
    sealer: createSealer([{ id: 'testtest', key: Buffer.alloc(32, 7) }]),
    callbackUrl: (name) => `${at.issuer}${upstreamCallbackPath(name)}`,
    nowMs: Date.now,
    useOnce: createSharedUseOnce(storage.pool),
  })
  at = await startWithPeople(storage, { user: { upstreamLogins } })
  const added = await at.server.clients.add({
    name: 'Growth Chart',
    public: true,
    scopes: 'openid fhirUser launch/patient patient/*.rs',
    grants: ['authorization_code'],
    redirectUris: [REDIRECT_URI],
  })
  assert.ok(added.ok)
  app = added.client.clientId
})
beforeEach(() => lab.faults.clear())
after(async () => {
  at.close()
  await lab.close()
})

/** Opens the app's launch and presses the button of the provider: where the browser then is. */
async function leaveForClinic(user: PageBrowser, changes: Record<string, string> = {}) {
  const scope = 'openid fhirUser launch/patient patient/Observation.rs'
  const request = authorizationOf(at, app, { scope, ...changes })
  await user.open(`/oauth/authorize?${new URLSearchParams(request.params)}`)
  const link = linkOf(user, 'Continue with Clinic account')
  await user.open(link)
  return { request, there: user.left() }
}

function linkOf(user: PageBrowser, text: string): string {
  const { html } = user.page()
  const link = [...html.matchAll(/<a\b[^>]*href="([^"]+)"[^>]*>([^<]*)<\/a>/g)].find(
    ([, , label]) => label === text,
  )
  assert.ok(link?.[1], `no link \`${text}\` on: ${html}`)
  return link[1].replaceAll('&amp;', '&')
}

/** Chooses somebody at the lab: where it sends the browser back to. */
async function choose(there: URL | undefined, user = 'nora'): Promise<string> {
  assert.ok(there, 'the browser is at the provider')
  assert.equal(there.origin, lab.url)
  const answer = await fetch(`${there.href}&lab_user=${user}`, { redirect: 'manual' })
  const location = answer.headers.get('location')
  assert.ok(location, await answer.text())
  return location
}

const sessionCookie = (user: PageBrowser) => user.browser.jar.get('scopegate_session /')?.value
const upstreamUsers = async () => {
  const { rows } = await storage.pool.query('SELECT user_id FROM identity_upstream')
  return rows.length
}

async function signIn(user: PageBrowser, as = 'nora') {
  const { request, there } = await leaveForClinic(user)
  await user.open(await choose(there, as))
  return request
}

function claimsOf(jwt: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString())
}

describe('signing in elsewhere', () => {
  test('goes on with the launch: patient, consent, tokens of the user with their fhirUser', async () => {
    const user = createPageBrowser(at.issuer)
    const request = await signIn(user)
    assert.match(user.page().title, /^Choose a patient/)
    await user.press(ANA.name)
    await user.press('Allow')
    const { body } = await exchange(at.address, {
      grant_type: 'authorization_code',
      code: user.left()?.searchParams.get('code') ?? '',
      redirect_uri: REDIRECT_URI,
      code_verifier: request.verifier,
      client_id: app,
    })
    assert.equal(body.patient, ANA.id)
    const idToken = claimsOf(body.id_token)
    assert.match(String(idToken.fhirUser), /\/Practitioner\/pract-2$/)
    assert.match(String(idToken.sub), /^u_/)
    const found = await at.users.find(String(idToken.sub))
    assert.deepEqual(found?.roles, ['nurse'])
    assert.equal(found?.email, 'nora@clinic.example')
  })

  test('knows the same person again, by issuer and subject', async () => {
    await signIn(createPageBrowser(at.issuer))
    const before = await upstreamUsers()
    await signIn(createPageBrowser(at.issuer))
    assert.equal(await upstreamUsers(), before)
  })

  test('never takes over a local user of the same name and address', async () => {
    const local = await at.addUser({
      username: 'paul',
      name: 'Paul of this server',
      email: 'paul@clinic.example',
      fhirUser: 'Practitioner/local',
      password: PASSWORD,
    })
    const user = createPageBrowser(at.issuer)
    await signIn(user, 'paul')
    const { rows } = await storage.pool.query(
      'SELECT user_id FROM identity_session ORDER BY started_ms DESC LIMIT 1',
    )
    assert.notEqual(rows[0].user_id, local.id)
    const found = await at.users.find(local.id)
    assert.equal(found?.fhirUser, 'Practitioner/local')
  })

  test('begins a session with a new cookie, and forgets what the sign-in needed', async () => {
    const user = createPageBrowser(at.issuer)
    await signIn(user)
    const first = sessionCookie(user)
    assert.ok(first)
    assert.ok(![...user.browser.jar.keys()].some((key) => key.includes('upstream')))
    const there = await leaveForClinic(user, { prompt: 'login' })
    await user.open(await choose(there.there))
    assert.ok(sessionCookie(user))
    assert.notEqual(sessionCookie(user), first)
  })

  test('prompt=login asks for the password there too', async () => {
    const user = createPageBrowser(at.issuer)
    await signIn(user)
    const { there } = await leaveForClinic(user, { prompt: 'login' })
    assert.equal(there?.searchParams.get('prompt'), 'login')
  })

  test('works from the account pages, and leads back there', async () => {
    const user = createPageBrowser(at.issuer)
    await user.open('/account')
    await user.open(linkOf(user, 'Continue with Clinic account'))
    await user.open(await choose(user.left()))
    assert.equal(new URL(user.page().url).pathname, '/account')
    assert.equal(user.page().status, 200)
  })
})

describe('a sign-in elsewhere that is not right begins no session', () => {
  for (const [fault, status] of [
    ['wrong_nonce', 502],
    ['unsigned', 502],
    ['forged', 502],
    ['expired', 502],
    ['wrong_issuer', 502],
    ['wrong_answer_issuer', 400],
    ['swapped_state', 400],
    ['denied', 403],
    ['token_down', 503],
  ] as const) {
    test(`${fault}: ${status}, told without details`, async () => {
      const user = createPageBrowser(at.issuer)
      const { there } = await leaveForClinic(user)
      lab.faults.add(fault)
      at.errors.length = 0
      await user.open(await choose(there))
      assert.equal(user.page().status, status)
      assert.equal(sessionCookie(user), undefined)
      assert.match(user.page().html, /Signing in with Clinic account did not work/)
      assert.doesNotMatch(user.page().html, /nonce|id_token|evil|scopegate_upstream/)
      assert.ok(at.errors[0] instanceof LoginRefused)
    })
  }

  test('an address that somebody else made signs nobody in (login CSRF)', async () => {
    const attacker = createPageBrowser(at.issuer)
    const answered = await choose((await leaveForClinic(attacker)).there)
    const victim = createPageBrowser(at.issuer)
    await victim.open(answered)
    assert.equal(victim.page().status, 400)
    assert.equal(sessionCookie(victim), undefined)
    const busy = createPageBrowser(at.issuer)
    await leaveForClinic(busy)
    await busy.open(answered)
    assert.equal(busy.page().status, 400)
    assert.equal(sessionCookie(busy), undefined)
  })

  test('an answer works once, also when its cookie was kept', async () => {
    const user = createPageBrowser(at.issuer)
    const { there } = await leaveForClinic(user)
    const kept = new Map(user.browser.jar)
    const answered = await choose(there)
    await user.open(answered)
    assert.ok(sessionCookie(user))
    const again = createPageBrowser(at.issuer)
    for (const [key, value] of kept) again.browser.jar.set(key, value)
    await again.open(answered)
    assert.equal(again.page().status, 400)
    assert.equal(sessionCookie(again), undefined)
  })

  test('a user who was disabled here stays out', async () => {
    const user = createPageBrowser(at.issuer)
    await signIn(user, 'umut')
    const { rows } = await storage.pool.query(
      'SELECT user_id FROM identity_session ORDER BY started_ms DESC LIMIT 1',
    )
    await at.users.disable(rows[0].user_id)
    const again = createPageBrowser(at.issuer)
    await signIn(again, 'umut')
    assert.equal(again.page().status, 403)
    assert.equal(sessionCookie(again), undefined)
  })

  test('a provider that there is not leads back to the login page, or to an error', async () => {
    const user = createPageBrowser(at.issuer)
    const request = authorizationOf(at, app)
    await user.open(`/oauth/authorize?${new URLSearchParams(request.params)}`)
    const nowhere = '/oauth/login/nobody/callback?code=x&state=y'
    const link = linkOf(user, 'Continue with Clinic account')
    await user.open(link.replace('/clinic', '/nobody'))
    assert.match(user.page().title, /^Sign in/)
    await user.open(nowhere)
    assert.equal(user.page().status, 404)
  })
})

describe('back-channel logout of a provider', () => {
  const post = (token: string | undefined, init: RequestInit = {}) =>
    fetch(`${at.address}${upstreamLogoutPath('clinic')}`, {
      method: 'POST',
      body: new URLSearchParams(token === undefined ? {} : { logout_token: token }),
      ...init,
    })

  test('ends the session here', async () => {
    const user = createPageBrowser(at.issuer)
    await signIn(user)
    const other = createPageBrowser(at.issuer)
    await signIn(other, 'paul')
    await user.open('/account')
    assert.match(user.page().url, /\/account$/)
    const token = lab.mintLogoutToken({ clientId: 'scopegate', userId: 'nora' })
    const response = await post(token)
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('cache-control'), 'no-store')
    await user.open('/account')
    assert.match(user.page().title, /^Sign in/)
    await other.open('/account')
    assert.match(other.page().url, /\/account$/, 'others stay signed in')
    assert.equal((await post(token)).status, 400, 'works once')
  })

  test('is held to its form and its proof', async () => {
    const wrong = lab.mintLogoutToken({
      clientId: 'scopegate',
      userId: 'nora',
      claims: { aud: 'another' },
    })
    for (const token of [undefined, 'nonsense', wrong]) {
      assert.equal((await post(token)).status, 400)
    }
    const got = await fetch(`${at.address}${upstreamLogoutPath('clinic')}`)
    assert.equal(got.status, 405)
  })
})
