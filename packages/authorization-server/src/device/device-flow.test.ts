import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { testStorage } from '@scopegate/storage/testing'
import { createStubBrowser, type StubBrowser } from '../testing/browse.ts'
import { exchange } from '../testing/launch-app.ts'
import { type StartedApps, startApps } from '../testing/start-apps.ts'

const storage = await testStorage()
let at: StartedApps
let app: string

before(async () => {
  at = await startApps(storage)
  app = (await at.addApp()).id
})
after(() => at.close())

async function begin(form: Record<string, string> = {}) {
  const response = await fetch(`${at.address}/oauth/device`, {
    method: 'POST',
    body: new URLSearchParams({
      client_id: app,
      scope: 'openid launch/patient patient/Observation.rs offline_access',
      aud: at.fhir,
      ...form,
    }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: a body is whatever came
  return { status: response.status, body: (await response.json()) as any }
}

const poll = (device_code: string) =>
  exchange(at.address, {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code,
    client_id: app,
  })

/** Lets the time of the next poll come. */
const waitToPoll = () =>
  storage.pool.query(`UPDATE engine_model SET polled_at = polled_at - interval '1 hour'`)

const xsrfOf = (page: string) => /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''

async function typeCode(browser: StubBrowser, userCode: string, more: Record<string, string> = {}) {
  const address = `${at.issuer}/oauth/device/code`
  const xsrf = xsrfOf(await (await browser.request(address)).text())
  const body = new URLSearchParams({ xsrf, user_code: userCode, ...more })
  return browser.follow(address, { method: 'POST', body })
}

test('a device gets its tokens when the user has typed the code and allowed it', async () => {
  const { body } = await begin()
  assert.equal(body.interval, 5)
  assert.match(body.user_code, /^[A-Z]{4}-[A-Z]{4}$/)
  const pending = await poll(body.device_code)
  assert.equal(pending.body.error, 'authorization_pending')

  at.signIn.decision = { context: { patient: 'p1' } }
  const browser = createStubBrowser(at.issuer)
  const asked = await typeCode(browser, body.user_code.toLowerCase().replace('-', ' '))
  const page = await asked.response.text()
  assert.ok(page.includes(body.user_code), 'the user compares the code')
  const done = await typeCode(browser, body.user_code, { confirm: 'yes' })
  assert.match(await done.response.text(), /go back to your device/)

  await waitToPoll()
  const { status, body: tokens } = await poll(body.device_code)
  assert.equal(status, 200, JSON.stringify(tokens))
  assert.equal(tokens.patient, 'p1')
  assert.equal(tokens.scope, 'openid launch/patient patient/Observation.rs offline_access')
  assert.ok(tokens.id_token)
  const refreshed = await exchange(at.address, {
    grant_type: 'refresh_token',
    refresh_token: tokens.refresh_token,
    client_id: app,
  })
  assert.equal(refreshed.body.patient, 'p1')
  assert.equal((await poll(body.device_code)).body.error, 'invalid_grant', 'once')
})

test('a device that asks too often must slow down, and ever more', async () => {
  const { body } = await begin()
  assert.equal((await poll(body.device_code)).body.error, 'authorization_pending')
  const waits: number[] = []
  for (let count = 0; count < 3; count++) {
    const { status, body: told } = await poll(body.device_code)
    assert.equal(status, 400)
    assert.equal(told.error, 'slow_down')
    waits.push(Number(/wait (\d+) s/.exec(told.error_description)?.[1]))
  }
  assert.deepEqual(waits, [10, 15, 20])
  await waitToPoll()
  assert.equal((await poll(body.device_code)).body.error, 'authorization_pending')
})

test('the user who stops tells the device', async () => {
  const { body } = await begin()
  const browser = createStubBrowser(at.issuer)
  await typeCode(browser, body.user_code, { abort: 'yes' })
  assert.equal((await poll(body.device_code)).body.error, 'access_denied')
})

test('what cannot be granted is refused before a code is shown', async () => {
  assert.equal((await begin({ aud: 'https://evil.example' })).body.error, 'invalid_target')
  assert.equal((await begin({ scope: 'system/*.rs' })).body.error, 'invalid_scope')
  const { status, body } = await begin({ client_id: 'nobody' })
  assert.equal(status, 401)
  assert.equal(body.error, 'invalid_client')
})

test('codes cannot be guessed: after a few wrong ones the address must wait', async () => {
  const { body } = await begin()
  const browser = createStubBrowser(at.issuer)
  for (let count = 0; count < 12; count++) await typeCode(browser, 'BCDF-GHJK')
  const late = await typeCode(browser, body.user_code)
  const page = await late.response.text()
  assert.ok(!page.includes('Is this the code'), 'the right one is not looked at either')
  assert.ok(at.refusals.some(({ code }) => code === 'too_many_user_codes'))
})

test('a form or an address without its session leads to the page of the code', async () => {
  const address = `${at.address}/oauth/device/code`
  for (const [url, method] of [
    [address, 'POST'],
    [`${address}/unknown`, 'GET'],
  ] as const) {
    const answer = await fetch(url, { method, redirect: 'manual' })
    assert.equal(answer.status, 303, `${method} ${url}`)
    assert.equal(answer.headers.get('location'), '/oauth/device/code')
  }
})
