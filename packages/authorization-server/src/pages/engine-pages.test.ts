import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { ANA } from '../testing/fixed-directory.ts'
import { authorizationOf, exchange, REDIRECT_URI } from '../testing/launch-app.ts'
import { createPageBrowser } from '../testing/page-browser.ts'
import { PASSWORD, type StartedWithPeople, startWithPeople } from '../testing/start-with-people.ts'

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'
const SIGNED_OUT = 'https://app.example/signed-out'
const storage = await testStorage()
let at: StartedWithPeople
let app: string

before(async () => {
  at = await startWithPeople(storage)
  await at.addUser({ username: 'ines', fhirUser: 'Practitioner/x', password: PASSWORD })
  const added = await at.server.clients.add({
    name: 'Bedside Display',
    public: true,
    scopes: 'openid launch/patient patient/*.rs',
    grants: ['authorization_code', DEVICE],
    redirectUris: [REDIRECT_URI],
    postLogoutRedirectUris: [SIGNED_OUT],
  })
  assert.ok(added.ok)
  app = added.client.clientId
})
after(() => at.close())

describe('a device', () => {
  async function begin() {
    const response = await fetch(`${at.issuer}/oauth/device`, {
      method: 'POST',
      body: new URLSearchParams({
        client_id: app,
        scope: 'launch/patient patient/Observation.rs',
        resource: at.fhir,
      }),
    })
    assert.equal(response.status, 200)
    return (await response.json()) as Record<string, string>
  }
  const poll = (code: string) =>
    exchange(at.address, { grant_type: DEVICE, device_code: code, client_id: app })

  test('is connected by its code, a confirmation, sign-in and consent', async () => {
    const {
      user_code: code = '',
      verification_uri: uri = '',
      device_code: device = '',
    } = await begin()
    const user = createPageBrowser(at.issuer)
    await user.open(uri)
    assert.match(user.page().title, /^Connect a device/)
    assert.match(user.page().headers.get('content-security-policy') ?? '', /default-src 'none'/)
    await user.press('Continue', { user_code: 'BBBB-BBBB' })
    assert.match(user.page().html, /code is not known/)
    await user.press('Continue', { user_code: code.toLowerCase().replace('-', ' ') })
    assert.match(user.page().title, /^Is this your device/)
    assert.ok(user.page().html.includes(code))
    assert.match(user.page().html, /Bedside Display/)
    await user.press('Yes, it is the same')
    await user.press('Sign in', { username: 'ines', password: PASSWORD })
    await user.press(ANA.name)
    await user.press('Allow')
    assert.match(user.page().title, /^Your device is connected/)
    const { status, body } = await poll(device)
    assert.equal(status, 200, JSON.stringify(body))
    assert.equal(body.patient, ANA.id)
  })

  test('that is not the own one is stopped', async () => {
    const {
      user_code: code = '',
      verification_uri: uri = '',
      device_code: device = '',
    } = await begin()
    const user = createPageBrowser(at.issuer)
    await user.open(uri)
    await user.press('Continue', { user_code: code })
    await user.press('No, stop')
    assert.match(user.page().title, /^Stopped/)
    assert.equal((await poll(device)).body.error, 'access_denied')
    await user.open(uri)
    await user.press('Continue', { user_code: code })
    assert.match(user.page().html, /was used already/)
  })
})

describe('a sign-out that an app asks for', () => {
  test('is confirmed, ends the session, and reaches the app by a page', async () => {
    const user = createPageBrowser(at.issuer)
    const request = authorizationOf(at, app, { scope: 'openid patient/Observation.rs' })
    await user.open(`/oauth/authorize?${new URLSearchParams(request.params)}`)
    await user.press('Sign in', { username: 'ines', password: PASSWORD })
    await user.press(ANA.name)
    await user.press('Allow')
    const { body } = await exchange(at.address, {
      grant_type: 'authorization_code',
      code: user.left()?.searchParams.get('code') ?? '',
      redirect_uri: REDIRECT_URI,
      code_verifier: request.verifier,
      client_id: app,
    })
    const query = new URLSearchParams({
      id_token_hint: body.id_token,
      post_logout_redirect_uri: SIGNED_OUT,
      state: 'kept',
    })
    await user.open(`/oauth/logout?${query}`)
    assert.match(user.page().title, /^Sign out\?/)
    await user.press('Sign out')
    assert.equal(user.left()?.href, `${SIGNED_OUT}?state=kept`)
    await user.open('/account')
    assert.match(user.page().title, /^Sign in/)
  })
})

describe('an app that asks wrongly', () => {
  test('unknown: nothing has expired, and it says what to do', async () => {
    const answer = await fetch(`${at.address}/oauth/authorize?client_id=nobody`)
    assert.equal(answer.status, 400)
    const page = await answer.text()
    assert.match(page, /This did not work/)
    assert.match(page, /scopegate client list/)
  })

  test('may send its sign-out as a form', async () => {
    const body = new URLSearchParams({ client_id: app, state: 's1' })
    const url = `${at.address}/oauth/logout`
    const answer = await fetch(url, { method: 'POST', body, redirect: 'manual' })
    assert.equal(answer.status, 303)
    assert.equal(answer.headers.get('location'), `/oauth/logout?client_id=${app}&state=s1`)
    assert.equal((await fetch(url, { method: 'POST', body })).status, 200)
  })
})
