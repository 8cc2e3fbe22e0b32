import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { TOTP } from 'otpauth'
import { ANA, BEN } from '../testing/fixed-directory.ts'
import { authorizationOf, exchange, REDIRECT_URI } from '../testing/launch-app.ts'
import { createPageBrowser, type PageBrowser } from '../testing/page-browser.ts'
import { PASSWORD, type StartedWithPeople, startWithPeople } from '../testing/start-with-people.ts'

const storage = await testStorage()
let at: StartedWithPeople
let made = 0

before(async () => {
  at = await startWithPeople(storage)
})
after(() => at.close())

/** A user of this test only, at a browser. */
async function somebody() {
  made += 1
  const username = `user-${made}`
  await at.addUser({
    username,
    name: `User ${made}`,
    fhirUser: 'Practitioner/x',
    password: PASSWORD,
  })
  return { username, user: createPageBrowser(at.issuer) }
}

async function signIn(user: PageBrowser, username: string, password = PASSWORD, path = '/account') {
  await user.open(path)
  await user.press('Sign in', { username, password })
}

async function launch(user: PageBrowser, username: string, patient: string) {
  const added = await at.server.clients.add({
    name: 'Growth Chart',
    public: true,
    scopes: 'launch/patient patient/*.rs offline_access',
    grants: ['authorization_code', 'refresh_token'],
    redirectUris: [REDIRECT_URI],
    clientUri: 'https://growth.example/about',
    consent: 'remember',
  })
  assert.ok(added.ok)
  const app = added.client.clientId
  const request = authorizationOf(at, app, {
    scope: 'launch/patient patient/Observation.rs offline_access',
  })
  await user.open(`/oauth/authorize?${new URLSearchParams(request.params)}`)
  if (/^Sign in/.test(user.page().title))
    await user.press('Sign in', { username, password: PASSWORD })
  await user.press(patient)
  await user.press('Allow', { remember: 'yes' })
  const { body } = await exchange(at.address, {
    grant_type: 'authorization_code',
    code: user.left()?.searchParams.get('code') ?? '',
    redirect_uri: REDIRECT_URI,
    code_verifier: request.verifier,
    client_id: app,
  })
  const refresh = (token: string) =>
    exchange(at.address, { grant_type: 'refresh_token', refresh_token: token, client_id: app })
  return { app, request, refreshToken: String(body.refresh_token), refresh }
}

describe('what was granted', () => {
  test('is listed by app and patient, and ends with its tokens when it is revoked', async () => {
    const { user, username } = await somebody()
    const { refresh, refreshToken, request } = await launch(user, username, ANA.name)
    await user.open('/account')
    const { html } = user.page()
    for (const text of [
      'Growth Chart',
      'growth.example',
      `For ${ANA.name}`,
      'Allowed on',
      'works while',
    ]) {
      assert.ok(html.includes(text), text)
    }
    await user.press('Revoke access')
    assert.match(user.page().html, /access was revoked/)
    assert.match(user.page().html, /No app has access/)
    const { status, body } = await refresh(refreshToken)
    assert.equal(status, 400)
    assert.equal(body.error, 'invalid_grant')
    // What was remembered is forgotten with it.
    await user.open(`/oauth/authorize?${new URLSearchParams(request.params)}`)
    await user.press(ANA.name)
    assert.match(user.page().title, /wants access/)
  })

  test('of somebody else is neither seen nor revoked', async () => {
    const one = await somebody()
    const { app, refresh, refreshToken } = await launch(one.user, one.username, BEN.name)
    const other = await somebody()
    await signIn(other.user, other.username)
    assert.match(other.user.page().html, /No app has access/)
    await other.user.open('/account/sessions')
    const csrf = /name="csrf" value="([^"]+)"/.exec(other.user.page().html)?.[1] ?? ''
    await other.user.post('/account/revoke', { csrf, client: app })
    assert.equal((await refresh(refreshToken)).status, 200)
  })
})

describe('sessions', () => {
  test('are listed, and the others can be ended', async () => {
    const { user, username } = await somebody()
    const phone = createPageBrowser(at.issuer, { 'user-agent': 'Mozilla/5.0 (iPhone) Safari/605' })
    await signIn(phone, username)
    await signIn(user, username, PASSWORD, '/account/sessions')
    assert.match(user.page().html, /This browser/)
    assert.match(user.page().html, /Safari · iPhone/)
    await user.press('End session')
    assert.match(user.page().html, /session was ended/)
    await phone.open('/account')
    assert.match(phone.page().title, /^Sign in/)
    await user.open('/account')
    assert.match(user.page().title, /^Apps/)
  })

  test('end with the sign-out', async () => {
    const { user, username } = await somebody()
    await signIn(user, username)
    const kept = new Map(user.browser.jar)
    await user.press('Sign out')
    assert.match(user.page().title, /^You are signed out/)
    for (const [name, cookie] of kept) user.browser.jar.set(name, cookie)
    await user.open('/account')
    assert.match(user.page().title, /^Sign in/)
  })
})

describe('the sign-in page', () => {
  test('leads to where it was asked for, and nowhere else', async () => {
    const { user, username } = await somebody()
    await signIn(user, username, PASSWORD, '/account/security')
    assert.match(user.page().title, /^Security/)
    for (const path of [
      '/account/login/https:%2f%2fevil.example',
      '/account/login///evil.example',
      '/account/login/..%2f..%2fevil',
    ]) {
      const stranger = createPageBrowser(at.issuer)
      await stranger.open(path)
      assert.equal(stranger.left(), undefined)
      assert.equal(stranger.page().status, 404, path)
    }
    const query = createPageBrowser(at.issuer)
    await query.open('/account/login?return=https://evil.example&done=%3Cb%3E')
    assert.doesNotMatch(query.page().html, /evil/)
  })

  test('takes no form of another site or another browser', async () => {
    const { user, username } = await somebody()
    await user.open('/account/login')
    const csrf = /name="csrf" value="([^"]+)"/.exec(user.page().html)?.[1] ?? ''
    const victim = createPageBrowser(at.issuer)
    await victim.open('/account/login')
    await victim.post('/account/login/grants/sign-in', { username, password: PASSWORD, csrf })
    assert.equal(victim.page().status, 403)
    await victim.open('/account')
    assert.match(victim.page().title, /^Sign in/)
  })

  test('a form of the account needs the token of this session', async () => {
    const { user, username } = await somebody()
    await signIn(user, username)
    for (const path of [
      '/account/revoke',
      '/account/sessions/end-others',
      '/account/password',
      '/account/logout',
    ]) {
      await user.post(path, { client: 'x' })
      assert.equal(user.page().status, 403, path)
    }
    await user.open('/account')
    assert.match(user.page().title, /^Apps/)
  })
})

describe('password and second factor', () => {
  test('a new password ends other sessions, and this browser goes on', async () => {
    const { user, username } = await somebody()
    const other = createPageBrowser(at.issuer)
    await signIn(other, username)
    await signIn(user, username, PASSWORD, '/account/security')
    await user.open('/account/password')
    const fresh = 'eleven patient herons'
    await user.press('Save password', { current: 'wrong', new: fresh, repeat: fresh })
    assert.equal(user.page().status, 403)
    await user.press('Save password', { current: PASSWORD, new: PASSWORD, repeat: PASSWORD })
    assert.match(user.page().html, /is the current one/)
    await user.press('Save password', { current: PASSWORD, new: fresh, repeat: fresh })
    assert.match(user.page().html, /password was changed/)
    await other.open('/account')
    assert.match(other.page().title, /^Sign in/)
    await other.press('Sign in', { username, password: PASSWORD })
    assert.equal(other.page().status, 401)
    await other.press('Sign in', { username, password: fresh })
    assert.match(other.page().title, /^Apps/)
  })

  test('an authenticator app is set up with the password, then asked for, and removed', async () => {
    const { user, username } = await somebody()
    await signIn(user, username, PASSWORD, '/account/security')
    await user.press('Set up an authenticator app', { password: 'wrong' })
    assert.equal(user.page().status, 403)
    await user.press('Set up an authenticator app', { password: PASSWORD })
    const secret = /name="secret" value="([A-Z2-7]+)"/.exec(user.page().html)?.[1] ?? ''
    assert.doesNotMatch(user.page().url, new RegExp(secret))
    assert.match(user.page().html, /otpauth:\/\/totp\//)
    const code = (offset = 0) => new TOTP({ secret }).generate({ timestamp: Date.now() + offset })
    await user.press('Switch on', { code: '000000' === code() ? '000001' : '000000' })
    assert.equal(user.page().status, 422)
    assert.ok(user.page().html.includes(secret))
    await user.press('Switch on', { code: code() })
    assert.match(user.page().title, /recovery codes/)
    const [recovery = ''] = [...user.page().html.matchAll(/<li>([^<]+)<\/li>/g)].map(
      ([, text]) => text,
    )

    const again = createPageBrowser(at.issuer)
    await signIn(again, username)
    assert.match(again.page().title, /^Confirm that it is you/)
    const thief = createPageBrowser(at.issuer)
    for (const [name, cookie] of again.browser.jar) {
      if (!name.startsWith('scopegate_browser')) thief.browser.jar.set(name, cookie)
    }
    await thief.open('/account/login')
    assert.match(thief.page().title, /^Sign in/)
    await again.press('Confirm', { code: 'not it' })
    assert.equal(again.page().status, 401)
    // The code that switched it on was used: the next one is another.
    await again.press('Confirm', { code: code(30_000) })
    assert.match(again.page().title, /^Apps/)

    const lost = createPageBrowser(at.issuer)
    await signIn(lost, username, PASSWORD, '/account/security')
    await lost.press('Confirm', { code: recovery })
    await lost.press('Remove the authenticator app', { password: PASSWORD })
    assert.match(lost.page().html, /was removed/)
    const without = createPageBrowser(at.issuer)
    await signIn(without, username)
    assert.match(without.page().title, /^Apps/)
  })
})
