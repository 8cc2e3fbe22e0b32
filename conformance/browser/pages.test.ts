import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { openChromium, whyNoChromium } from '../support/chromium.ts'
import { openSmartServer, type Person, type SmartServer } from '../support/open-smart-server.ts'
import type { SmartApp } from '../support/smart-app.ts'
import { complaintsOf, lookAt } from './look-at.ts'
import { openRedirectingApp, type RedirectingApp } from './redirecting-app.ts'

// The pages in a real browser, as somebody uses them who has no mouse, no script, or no patience.
const SCOPE =
  'openid fhirUser launch/patient offline_access patient/Patient.rs patient/Observation.rs'
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code'

const skip = whyNoChromium()
// Here and not in a hook, with which its database would end.
const server: SmartServer = skip === undefined ? await openSmartServer() : (undefined as never)

describe('pages in Chromium', { skip, timeout: 450_000 }, () => {
  let person: Person
  let chromium: Awaited<ReturnType<typeof openChromium>>
  let home: RedirectingApp
  let app: SmartApp

  before(async () => {
    person = await server.user()
    chromium = await openChromium()
    home = await openRedirectingApp()
    app = await appOf()
  })
  after(async () => {
    await chromium?.close()
    home?.close()
    await server?.close()
  })

  function appOf(set: Record<string, unknown> = {}): Promise<SmartApp> {
    return server.app({
      scopes: `${SCOPE} launch launch/encounter user/Patient.rs`,
      set: {
        name: 'Growth Chart',
        client_uri: 'https://growth.example/',
        policy_uri: 'https://growth.example/privacy',
        redirect_uris: [home.redirectUri],
        ...set,
      },
    })
  }

  /** A page of a browser that was not here before. */
  async function freshPage(): Promise<Page> {
    await chromium.context.clearCookies()
    const page = await chromium.context.newPage()
    return page
  }

  async function signIn(page: Page, { username, password }: Person = person): Promise<void> {
    await page.getByLabel('User name').fill(username)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  }

  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

  /** The app's own parameters, when the browser has come to rest at it. */
  async function answerTo(page: Page): Promise<URLSearchParams> {
    await page.waitForURL(`${home.home}/**`)
    return new URL(page.url()).searchParams
  }

  test('a launch by keyboard alone, with a wrong password on the way', async () => {
    const page = await freshPage()
    const complaints = complaintsOf(page)
    const request = app.authorize({ scope: SCOPE })
    await page.goto(request.url)
    await lookAt(page, 'sign-in')

    // The user name has the focus; Enter sends the form.
    await page.locator('#username:focus').waitFor()
    await page.keyboard.type(person.username)
    await page.keyboard.press('Tab')
    await page.keyboard.type('not the password')
    await page.keyboard.press('Enter')
    // What is wrong has the focus, so that it is read out.
    await page.locator('#problem:focus').waitFor()
    assert.match(await page.locator('#problem').innerText(), /do not match/)
    assert.equal(await page.getByLabel('User name').inputValue(), person.username)
    assert.equal(await page.getByLabel('Password').inputValue(), '')
    await lookAt(page, 'sign-in-wrong')
    await page.getByLabel('Password').focus()
    await page.keyboard.type(person.password)
    await page.keyboard.press('Enter')

    await page.locator('#text:focus').waitFor()
    await lookAt(page, 'patients')
    const names = await page.locator('.choice b').allInnerTexts()
    const [name = ''] = names
    await page.keyboard.type(name.split(' ')[0] ?? '')
    await page.keyboard.press('Enter')
    await page.waitForLoadState()
    assert.equal(new URL(page.url()).search, '')
    await page.locator('#results', { hasText: '“' }).waitFor()
    await page.locator('#text:focus').waitFor()
    // From the search field over its button to the first patient.
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate('document.activeElement.name'), 'patient')
    await page.keyboard.press('Enter')

    await page.getByRole('heading', { name: 'Growth Chart wants access' }).waitFor()
    await lookAt(page, 'consent')
    const results = page.locator('input[name=scope][value="patient/Observation.rs"]')
    await results.focus()
    await page.keyboard.press('Tab')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Space')
    await lookAt(page, 'consent-narrowed')
    await page.locator('input[name=scope][value=offline_access]').focus()
    await page.keyboard.press('Space')
    await button(page, 'Allow').focus()
    await page.keyboard.press('Enter')

    // The app redirects on to another origin, which a form may not lead to.
    const answer = await answerTo(page)
    assert.equal(answer.get('state'), request.state)
    const { json } = await app.exchange(answer.get('code') ?? '', request)
    const granted = new Set(json.scope?.split(' '))
    assert.ok(!granted.has('patient/Observation.rs'))
    assert.ok(!granted.has('offline_access'))
    assert.ok(granted.has('patient/Patient.rs'))
    const narrowed = [...granted].filter((scope) => scope.startsWith('patient/Observation.rs?'))
    assert.equal(narrowed.length, 1, json.scope)
    assert.deepEqual(complaints, [])
    await page.close()
  })

  test('the whole way without script', async () => {
    await chromium.context.clearCookies()
    const browser = chromium.context.browser()
    assert.ok(browser)
    const context = await browser.newContext({ javaScriptEnabled: false })
    context.setDefaultTimeout(60_000)
    const page = await context.newPage()
    const request = app.authorize({ scope: SCOPE })
    await page.goto(request.url)
    await signIn(page)
    await page.locator('button[name=patient]').first().click()
    await button(page, 'Allow').click()
    const answer = await answerTo(page)
    const { json } = await app.exchange(answer.get('code') ?? '', request)
    assert.ok(json.refresh_token)
    await context.close()
  })

  test('cancel leads back to the app from every step', async () => {
    for (const step of ['sign-in', 'patients', 'consent'] as const) {
      const page = await freshPage()
      await page.goto(app.authorize({ scope: SCOPE }).url)
      if (step !== 'sign-in') await signIn(page)
      if (step === 'consent') await page.locator('button[name=patient]').first().click()
      const names = {
        'sign-in': 'Cancel and return to Growth Chart',
        patients: 'Cancel',
        consent: 'Deny',
      }
      await button(page, names[step]).click()
      assert.equal((await answerTo(page)).get('error'), 'access_denied', step)
      await page.close()
    }
  })

  test('the back button leads to a page that still works', async () => {
    const page = await freshPage()
    const request = app.authorize({ scope: SCOPE })
    await page.goto(request.url)
    await signIn(page)
    await page.locator('button[name=patient]').nth(1).click()
    await page.getByRole('heading', { name: 'wants access' }).waitFor()
    await page.goBack()
    await page.reload()
    await page.getByRole('heading', { name: 'wants access' }).waitFor()
    await button(page, 'Change').click()
    await page.locator('button[name=patient]').first().click()
    await button(page, 'Allow').click()
    assert.ok((await answerTo(page)).get('code'))
    await page.close()
  })

  test('an encounter is chosen', async () => {
    const page = await freshPage()
    await page.goto(
      app.authorize({ scope: 'launch/patient launch/encounter patient/Patient.rs' }).url,
    )
    await signIn(page)
    await page.locator('button[name=patient]').first().click()
    await page.getByRole('heading', { name: 'Choose an encounter' }).waitFor()
    await lookAt(page, 'encounters')
    await button(page, 'Continue without an encounter').click()
    await button(page, 'Allow').click()
    assert.ok((await answerTo(page)).get('code'))
    await page.close()
  })

  test('a device is connected by its code', async () => {
    const display = await server.app({
      scopes: 'launch/patient patient/Patient.rs',
      grants: [DEVICE],
      set: { name: 'Bedside Display' },
    })
    const begun = await display.post(`${server.url}/oauth/device`, {
      scope: 'launch/patient patient/Patient.rs',
      resource: server.fhirUrl,
    })
    const device = begun.json as unknown as Record<string, string>
    const page = await freshPage()
    const complaints = complaintsOf(page)
    await page.goto(device.verification_uri ?? '')
    await page.locator('input:focus').waitFor()
    await lookAt(page, 'device')
    await page.keyboard.type(device.user_code ?? '')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Is this your device?' }).waitFor()
    await lookAt(page, 'device-confirm')
    await button(page, 'Yes, it is the same').click()
    await signIn(page)
    await page.locator('button[name=patient]').first().click()
    await button(page, 'Allow').click()
    await page.getByRole('heading', { name: 'Your device is connected' }).waitFor()
    await lookAt(page, 'device-done')
    assert.deepEqual(complaints, [])
    await page.close()
  })

  test('what was granted is seen and revoked, and the rest of the account is in order', async () => {
    const somebody = await server.user()
    const page = await freshPage()
    const complaints = complaintsOf(page)
    const request = app.authorize({ scope: SCOPE })
    await page.goto(request.url)
    await signIn(page, somebody)
    await page.locator('button[name=patient]').first().click()
    await button(page, 'Allow').click()
    const code = (await answerTo(page)).get('code') ?? ''
    const { json } = await app.exchange(code, request)

    await page.goto(`${server.url}/account`)
    await lookAt(page, 'account')
    await button(page, 'Revoke access of Growth Chart').click()
    await page.getByText('The access was revoked').waitFor()
    await lookAt(page, 'account-empty')
    const refreshed = await app.refresh(json.refresh_token ?? '')
    assert.equal(refreshed.json.error, 'invalid_grant')
    const read = await server.fhir(json.access_token, `Patient/${json.patient}`)
    assert.equal(read.status, 401)

    await page.getByRole('link', { name: 'Sessions' }).click()
    await page.waitForURL(`${server.url}/account/sessions`)
    await lookAt(page, 'account-sessions')
    await page.getByRole('link', { name: 'Security' }).click()
    await page.waitForURL(`${server.url}/account/security`)
    await lookAt(page, 'account-security')
    await page.getByLabel('Current password').fill(somebody.password)
    await button(page, 'Set up an authenticator app').click()
    await page.getByRole('heading', { name: 'Set up an authenticator app' }).waitFor()
    await lookAt(page, 'account-second-factor')
    await page.goto(`${server.url}/account/password`)
    await lookAt(page, 'account-password')
    await page.goto(`${server.url}/account`)
    await button(page, 'Sign out').click()
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
    await lookAt(page, 'signed-out')
    assert.deepEqual(complaints, [])
    await page.close()
  })

  test('an app that signs its user out gets the browser back', async () => {
    const leaving = await appOf({ post_logout_redirect_uris: [`${home.redirectUri}/out`] })
    const page = await freshPage()
    const complaints = complaintsOf(page)
    const request = leaving.authorize({ scope: 'openid user/Patient.rs' })
    await page.goto(request.url)
    await signIn(page)
    await button(page, 'Allow').waitFor()
    await lookAt(page, 'consent-user')
    await button(page, 'Allow').click()
    const { json } = await leaving.exchange((await answerTo(page)).get('code') ?? '', request)
    const query = new URLSearchParams({
      id_token_hint: json.id_token ?? '',
      post_logout_redirect_uri: `${home.redirectUri}/out`,
      state: 'out',
    })
    await page.goto(`${server.url}/oauth/logout?${query}`)
    await lookAt(page, 'sign-out')
    await button(page, 'Sign out').click()
    assert.equal((await answerTo(page)).get('state'), 'out')
    await page.goto(`${server.url}/account`)
    await page.getByLabel('User name').waitFor()
    assert.deepEqual(complaints, [])
    await page.close()
  })

  test('an operator reads the report of the doctor', async () => {
    const operator = await server.app({
      as: 'secret',
      scopes: 'admin/doctor.read',
      grants: ['client_credentials'],
    })
    const { json } = await operator.clientCredentials('admin/doctor.read', {
      set: { resource: server.adminUrl },
    })
    const page = await freshPage()
    const complaints = complaintsOf(page)
    await page.goto(`${server.url}/`)
    await page.locator('a[href$="/admin/doctor"]').click()
    await page.waitForURL('**/admin/doctor')
    await lookAt(page, 'doctor-form')
    await page.getByLabel('Access token').fill('not one')
    await button(page, 'Show the report').click()
    await page.getByRole('alert').waitFor()
    await lookAt(page, 'doctor-refused')
    await page.getByLabel('Access token').fill(json.access_token ?? '')
    await button(page, 'Show the report').click()
    await page.getByRole('heading', { name: 'Findings' }).waitFor()
    await lookAt(page, 'doctor-report')
    // What the browser says of a page that was refused is no complaint of the page.
    assert.deepEqual(
      complaints.filter((each) => !/status of 400/.test(each)),
      [],
    )
    await page.close()
  })

  test('errors are pages too, in the language of the browser', async () => {
    const page = await freshPage()
    await page.setExtraHTTPHeaders({ 'accept-language': 'de' })
    await page.goto(
      app.authorize({ scope: SCOPE, set: { redirect_uri: 'https://evil.example/' } }).url,
    )
    await page.getByRole('heading', { name: 'Das hat nicht geklappt' }).waitFor()
    assert.equal(await page.locator('html').getAttribute('lang'), 'de')
    assert.equal(await page.locator('a[href^="http"]').count(), 0)
    await lookAt(page, 'error')
    await page.goto(`${server.url}/oauth/interaction/unknown`)
    await lookAt(page, 'expired')
    await page.goto(app.authorize({ scope: SCOPE }).url)
    await page.getByRole('heading', { name: 'Anmelden' }).waitFor()
    await lookAt(page, 'sign-in-german')
    await page.close()
  })

  test('a page in a frame of somebody else stays empty', async () => {
    const page = await freshPage()
    const request = app.authorize({ scope: SCOPE })
    await page.goto(`${home.home}/`)
    const refusal = page.waitForEvent('console', (message) =>
      /frame-ancestors|X-Frame-Options/i.test(message.text()),
    )
    await page.evaluate((url) => {
      const frame = document.createElement('iframe')
      frame.src = url
      document.body.append(frame)
    }, request.url)
    assert.match((await refusal).text(), /refused|violates|denied/i)
    await page.close()
  })
})
