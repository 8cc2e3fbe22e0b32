import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { type Browser, isAway, type Page } from './support/browser.ts'
import type { HtmlForm } from './support/html-forms.ts'
import { codeOf, fillIn, walkPages } from './support/launch-app.ts'
import { browserOf, openSmartServer, type Person } from './support/open-smart-server.ts'
import { type AuthorizeRequest, decodeJwt, type SmartApp } from './support/smart-app.ts'

// Two windows of one interaction, and consent that was given for something else.
const SCOPE = 'launch/patient openid fhirUser offline_access patient/Patient.rs'
const ALLOW = { name: 'decision', value: 'allow' }

const server = await openSmartServer()
after(() => server.close())
const alice = await server.user()
const bob = await server.user({ fhirUser: 'Practitioner/pract-2' })
const app = await server.app({ scopes: `${SCOPE} user/Patient.rs` })

function formTo(page: Page, step: string): HtmlForm {
  const form = page.forms.find(({ action }) => action.endsWith(`/${step}`))
  assert.ok(form, `no form to ${step}: ${page.text.slice(0, 300)}`)
  return form
}

/** The page of consent, with the patient chosen. */
async function consentFor(
  browser: Browser,
  client: SmartApp,
  person: Person,
  patient: string,
): Promise<{ readonly request: AuthorizeRequest; readonly page: Page; readonly form: HtmlForm }> {
  const request = client.authorize({ scope: SCOPE })
  let page = await browser.open(request.url)
  for (let steps = 0; steps < 3; steps++) {
    assert.ok(!isAway(page), 'a page is shown')
    const form = page.forms.find(({ action }) => action.endsWith('/consent'))
    if (form) return { request, page, form }
    page = await fillIn(browser, page, person, { patient })
  }
  throw new Error('no page of consent')
}

describe('a decision counts for what its page has shown', () => {
  test('another window has chosen another patient: it is shown, and asked again', async () => {
    const browser = browserOf(server)
    const { request, page, form } = await consentFor(browser, app, alice, 'patient-1')
    const picker = await browser.submit(formTo(page, 'change-patient'))
    assert.ok(!isAway(picker))
    await fillIn(browser, picker, alice, { patient: 'patient-2' })

    const told = await browser.submit(form, {}, ALLOW)
    assert.ok(!isAway(told), 'nothing was granted for a patient that was not on the page')
    assert.equal(told.status, 409)

    const away = await browser.submit(formTo(told, 'consent'), {}, ALLOW)
    assert.ok(isAway(away))
    assert.equal((await app.exchange(codeOf(away, request), request)).json.patient, 'patient-2')
  })

  test('another window has changed the user: the one before has allowed nothing for them', async () => {
    const browser = browserOf(server)
    const { request, page, form } = await consentFor(browser, app, alice, 'patient-1')
    let other = await browser.submit(formTo(page, 'switch'))
    for (let steps = 0; steps < 2; steps++) {
      assert.ok(!isAway(other))
      other = await fillIn(browser, other, bob, { patient: 'patient-1' })
    }
    const told = await browser.submit(form, {}, ALLOW)
    assert.ok(!isAway(told) && told.status === 409, 'nothing was granted')
    const { away } = await walkPages(browser, { ...told, status: 200 }, bob, {})
    const { json } = await app.exchange(away.searchParams.get('code') ?? '', request)
    assert.match(String(decodeJwt(json.access_token ?? '').claims.fhirUser), /pract-2$/)
  })

  test('a page that does not say what it has shown decides nothing', async () => {
    const browser = browserOf(server)
    const { form } = await consentFor(browser, app, alice, 'patient-1')
    for (const shown of [undefined, '', 'x'.repeat(43)]) {
      const told = await browser.submit(form, { shown }, ALLOW)
      assert.ok(!isAway(told) && told.status === 409)
    }
  })
})

describe('a remembered consent', () => {
  test('is asked for anew where the app wants that, and never stretched', async () => {
    const client = await server.app({
      scopes: `${SCOPE} user/Patient.rs`,
      set: { consent: 'remember' },
    })
    const browser = browserOf(server)
    const { form } = await consentFor(browser, client, alice, 'patient-1')
    assert.ok(isAway(await browser.submit(form, { remember: ['yes'] }, ALLOW)))

    const isAsked = async (wish: {
      readonly scope?: string
      readonly patient?: string
      readonly prompt?: string
    }) => {
      const { scope = SCOPE, patient = 'patient-1', prompt } = wish
      const { url } = client.authorize({ scope, set: { prompt } })
      const picker = await browser.open(url)
      assert.ok(!isAway(picker))
      const next = await fillIn(browser, picker, alice, { patient })
      return !isAway(next) && next.forms.some(({ action }) => action.endsWith('/consent'))
    }
    assert.equal(await isAsked({}), false, 'it is remembered')
    assert.equal(await isAsked({ prompt: 'consent' }), true)
    assert.equal(await isAsked({ patient: 'patient-2' }), true)
    assert.equal(await isAsked({ scope: `${SCOPE} user/Patient.rs` }), true)
  })
})

describe('what changed while the user decided', () => {
  test('an address that was taken away gets no code', async () => {
    const client = await server.app({ scopes: SCOPE })
    const browser = browserOf(server)
    const { form } = await consentFor(browser, client, alice, 'patient-1')
    await server.admin('PATCH', `/clients/${client.clientId}`, {
      redirect_uris: ['https://new.example/callback'],
    })
    const told = await browser.submit(form, {}, ALLOW)
    assert.ok(!isAway(told), 'nothing leads there')
    assert.equal(told.status, 400)
  })

  test('a user who was disabled allows nothing', async () => {
    const person = await server.user()
    const browser = browserOf(server)
    const { form } = await consentFor(browser, app, person, 'patient-1')
    await server.admin('PATCH', `/users/${person.id}`, { disabled: true })
    assert.ok(!isAway(await browser.submit(form, {}, ALLOW)))
  })

  test('one who is another patient now shares nothing of the one before', async () => {
    const person = await server.user({ fhirUser: 'Patient/patient-1' })
    const browser = browserOf(server)
    const { form, request } = await consentFor(browser, app, person, 'patient-1')
    await server.admin('PATCH', `/users/${person.id}`, { fhir_user: 'Patient/patient-2' })
    const told = await browser.submit(form, {}, ALLOW)
    if (!isAway(told)) return
    const { json } = await app.exchange(told.away.searchParams.get('code') ?? '', request)
    assert.equal((await server.fhir(json.access_token, 'Patient/patient-1')).status, 404)
  })
})

describe('an app that anybody on the device could pose as', () => {
  test('a private scheme proves nothing: the user decides every time', async () => {
    const client = await server.app({
      scopes: SCOPE,
      set: { consent: 'remember', redirect_uris: ['com.example.app:/callback'] },
    })
    const browser = browserOf(server)
    const first = await consentFor(browser, client, alice, 'patient-1')
    assert.ok(!first.form.fields.some(({ name }) => name === 'remember'), 'it is not offered')
    assert.ok(isAway(await browser.submit(first.form, {}, ALLOW)))
    await consentFor(browser, client, alice, 'patient-1')
  })

  test('a name holds nothing that nobody sees', async () => {
    const nameOf = (name: string) =>
      server.adminCall('POST', '/clients', { name, scopes: 'system/Patient.rs' })
    for (const unseen of [
      '\u200b',
      '\ufeff',
      '\u2028',
      '\u00ad',
      '\u202e',
      '\u{e0041}',
      '\u3164',
    ]) {
      const { status } = await nameOf(`Growth${unseen}chart`)
      assert.equal(status, 400, `U+${unseen.codePointAt(0)?.toString(16)}`)
    }
    assert.equal((await nameOf('Wachstum 👩\u200d⚕️ می\u200cخواهم')).status, 201)
  })
})
