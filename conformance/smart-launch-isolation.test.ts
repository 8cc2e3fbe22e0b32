import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { isAway } from './support/browser.ts'
import { codeOf, fillIn, walkPages } from './support/launch-app.ts'
import { browserOf, openSmartServer } from './support/open-smart-server.ts'
import { decodeJwt, type TokenBody } from './support/smart-app.ts'

// Statement 29: two launches of one app for two patients, in one browser, never exchange anything.
const SCOPE = 'launch/patient openid fhirUser offline_access patient/Patient.rs'
const EHR = 'launch openid offline_access patient/Patient.rs patient/Encounter.rs'

const server = await openSmartServer()
after(() => server.close())
const person = await server.user()
const app = await server.app({ scopes: `${SCOPE} ${EHR} online_access` })

async function assertPatient(token: TokenBody, patient: string): Promise<void> {
  const other = patient === 'patient-1' ? 'patient-2' : 'patient-1'
  assert.equal(token.patient, patient)
  assert.equal(decodeJwt(token.access_token ?? '').claims.patient, patient)
  assert.equal((await server.fhir(token.access_token, `Patient/${patient}`)).status, 200)
  assert.equal((await server.fhir(token.access_token, `Patient/${other}`)).status, 404)
}

/** Every order of two refreshes for each of two tabs. */
const ORDERS = ['AABB', 'ABAB', 'ABBA', 'BAAB', 'BABA', 'BBAA']

for (const access of ['offline_access', 'online_access']) {
  describe(`two patients in two tabs, ${access}`, () => {
    for (const order of ORDERS) {
      test(`refreshed in the order ${order}`, async () => {
        const scope = SCOPE.replace('offline_access', access)
        const browser = browserOf(server)
        const launch = (patient: string) =>
          server.launch(app, person, { scope, patient, browser }).then(({ token }) => token)
        const tabs = { A: await launch('patient-1'), B: await launch('patient-2') }
        const patients = { A: 'patient-1', B: 'patient-2' }
        for (const tab of [...order] as ('A' | 'B')[]) {
          const { status, json } = await app.refresh(tabs[tab].refresh_token ?? '')
          assert.equal(status, 200, JSON.stringify(json))
          tabs[tab] = json
          await assertPatient(json, patients[tab])
        }
        await assertPatient(tabs.A, 'patient-1')
        await assertPatient(tabs.B, 'patient-2')
      })
    }
  })
}

test('two interactions under way at once keep their own patients', async () => {
  const browser = browserOf(server)
  await server.launch(app, person, { scope: SCOPE, patient: 'patient-1', browser })
  const [first, second] = [app.authorize({ scope: SCOPE }), app.authorize({ scope: SCOPE })]
  const firstPicker = await browser.open(first.url)
  const secondPicker = await browser.open(second.url)
  assert.ok(!isAway(firstPicker) && !isAway(secondPicker))
  const firstConsent = await fillIn(browser, firstPicker, person, { patient: 'patient-1' })
  const secondConsent = await fillIn(browser, secondPicker, person, { patient: 'patient-2' })
  const secondAway = await walkPages(browser, secondConsent, person, {})
  const firstAway = await walkPages(browser, firstConsent, person, {})
  const answers = [
    await app.exchange(codeOf(firstAway, first), first),
    await app.exchange(codeOf(secondAway, second), second),
  ]
  await assertPatient(answers[0]!.json, 'patient-1')
  await assertPatient(answers[1]!.json, 'patient-2')
})

test('two EHR launches in one browser keep their own contexts', async () => {
  const browser = browserOf(server)
  const handles = {
    one: await server.ehrLaunch(app, person, { patient: 'patient-1', intent: 'one' }),
    two: await server.ehrLaunch(app, person, { patient: 'patient-2' }),
  }
  const launch = (handle: string) =>
    server.launch(app, person, { scope: EHR, launch: handle, browser })
  const [one, two] = [await launch(handles.one), await launch(handles.two)]
  await assertPatient(one.token, 'patient-1')
  await assertPatient(two.token, 'patient-2')
  assert.equal(one.token.intent, 'one')
  assert.equal(two.token.intent, undefined)
  const refreshed = await app.refresh(one.token.refresh_token ?? '')
  await assertPatient(refreshed.json, 'patient-1')
  assert.equal(refreshed.json.intent, 'one')
})

test('revoking one launch leaves the other', async () => {
  const browser = browserOf(server)
  const launch = (patient: string) =>
    server.launch(app, person, { scope: SCOPE, patient, browser }).then(({ token }) => token)
  const [one, two] = [await launch('patient-1'), await launch('patient-2')]
  const url = server.configuration.revocation_endpoint
  assert.equal((await app.post(url, { token: one.refresh_token ?? '' })).status, 200)
  assert.equal((await app.refresh(one.refresh_token ?? '')).status, 400)
  const { status, json } = await app.refresh(two.refresh_token ?? '')
  assert.equal(status, 200)
  await assertPatient(json, 'patient-2')
})
