import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { type AppServer, serveApp } from './support/app-server.ts'
import { openChromium, whyNoChromium } from './support/chromium.ts'
import { openSmartServer, type Person } from './support/open-smart-server.ts'

// The reference client of SMART, in a real browser on an origin of its own, so that CORS is at work:
// https://github.com/smart-on-fhir/client-js
const BUILD = `${import.meta.dirname}/outside/node_modules/fhirclient/build/fhir-client.js`
const skip =
  whyNoChromium() ??
  (existsSync(BUILD)
    ? false
    : 'conformance/outside is not installed: tools/with-outside-clients.sh')

const STANDALONE =
  'launch/patient openid fhirUser offline_access patient/Patient.rs user/Practitioner.rs'
const EHR = 'launch openid fhirUser online_access patient/Patient.rs user/Practitioner.rs'

/** Signs in where the URL says so; otherwise comes back with a token, reads, refreshes, reads. */
const START = (options: object) => `<!doctype html><title>start</title>
<script src="/fhir-client.js"></script>
<script>FHIR.oauth2.authorize(${JSON.stringify(options)}).catch((error) => {
  document.title = 'failed: ' + error.message
})</script>`
const APP = `<!doctype html><title>app</title>
<script src="/fhir-client.js"></script>
<script>
FHIR.oauth2.ready().then(async (client) => {
  const first = client.getState('tokenResponse')
  const patient = await client.patient.read()
  const user = await client.user.read()
  await client.refresh()
  const second = client.getState('tokenResponse')
  const again = await client.request('Patient/' + client.patient.id)
  window.result = {
    first, second, patient: patient.id, again: again.id,
    user: user.resourceType + '/' + user.id, encounter: client.encounter.id,
  }
  document.title = 'done'
}).catch((error) => { document.title = 'failed: ' + error.message })
</script>`

interface Result {
  readonly first: Record<string, string>
  readonly second: Record<string, string>
  readonly patient: string
  readonly again: string
  readonly user: string
  readonly encounter: string | null
}

// Not in a hook, whose end would end the test database.
const server = skip === false ? await openSmartServer() : (undefined as never)

describe('fhirclient in Chromium', { skip }, () => {
  let app: AppServer
  let person: Person
  let browser: Awaited<ReturnType<typeof openChromium>>

  before(async () => {
    person = await server.user({ fhirUser: 'Practitioner/pract-1' })
    browser = await openChromium()
    app = await serveApp({
      '/': { body: APP },
      '/standalone': {
        body: START({
          clientId: 'my-app',
          scope: STANDALONE,
          redirectUri: '/',
          iss: server.fhirUrl,
        }),
      },
      '/launch': { body: START({ clientId: 'ehr-app', scope: EHR, redirectUri: '/' }) },
      '/fhir-client.js': { file: BUILD },
    })
    for (const [clientId, scopes] of [
      ['my-app', STANDALONE],
      ['ehr-app', EHR],
    ] as const) {
      await server.app({
        scopes,
        set: {
          client_id: clientId,
          name: 'Blood pressure diary',
          redirect_uris: [`${app.origin}/`],
          launch_url: `${app.origin}/launch`,
        },
      })
    }
  })
  after(async () => {
    await browser?.close()
    await app?.close()
    await server.close()
  })

  test('standalone: sign-in, patient, consent, read, refresh', async () => {
    const page = await browser.context.newPage()
    await page.goto(`${app.origin}/standalone`)
    await signIn(page, person)
    await page.locator('button[name=patient][value=patient-2]').click()
    await page.getByRole('button', { name: /allow/i }).click()
    const { first, second, ...result } = await resultOf(page)
    assert.deepEqual(result, {
      patient: 'patient-2',
      again: 'patient-2',
      user: 'Practitioner/pract-1',
      encounter: null,
    })
    assert.equal(first.patient, 'patient-2')
    assert.equal(second.patient, 'patient-2')
    assert.notEqual(second.access_token, first.access_token)
    assert.equal(second.scope, first.scope)
    await page.close()
  })

  test('EHR launch: the context comes from the EHR, online_access refreshes', async () => {
    const { launch } = await server.admin<{ launch: string }>('POST', '/launches', {
      client_id: 'ehr-app',
      user: person.id,
      patient: 'patient-3',
      need_patient_banner: false,
    })
    const page = await browser.context.newPage()
    const address = new URLSearchParams({ iss: server.fhirUrl, launch })
    await page.goto(`${app.origin}/launch?${address}`)
    await signIn(page, person)
    await page.getByRole('button', { name: /allow/i }).click()
    const { first, second, ...result } = await resultOf(page)
    assert.equal(result.patient, 'patient-3')
    assert.equal(result.again, 'patient-3')
    assert.equal(first.need_patient_banner, false)
    assert.notEqual(second.access_token, first.access_token)
    await page.close()
  })
})

/** Signs in, unless the browser is signed in already. */
async function signIn(page: Page, person: Person): Promise<void> {
  const password = page.locator('input[type=password]')
  const after = page.locator('button[name=patient], button[value=allow]')
  await password.or(after).first().waitFor()
  if ((await password.count()) === 0) return
  await page.locator('input[name=username]').fill(person.username)
  await password.fill(person.password)
  await page.locator('form:has(input[type=password]) button').first().click()
}

async function resultOf(page: Page): Promise<Result> {
  await page.waitForFunction(() => /^(done|failed)/.test(document.title))
  assert.equal(await page.title(), 'done')
  return page.evaluate(() => (globalThis as unknown as { result: Result }).result)
}
