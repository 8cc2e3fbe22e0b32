import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { accountPage, revokeAll } from './support/account.ts'
import { isAway } from './support/browser.ts'
import { browserOf, openSmartServer } from './support/open-smart-server.ts'

// Requests to the token endpoint that are wrong in a way that only an attacker, or a bug, sends.
const SCOPE = 'launch/patient openid offline_access patient/Patient.rs patient/Observation.rs'

const server = await openSmartServer()
after(() => server.close())
const person = await server.user()
const app = await server.app({ scopes: SCOPE })
const launched = () => server.launch(app, person, { scope: SCOPE, patient: 'patient-1' })

describe('a refresh that asks for another API', () => {
  test('is refused at once, and the token goes on', async () => {
    const { token } = await launched()
    const refreshToken = token.refresh_token ?? ''
    for (const resource of [server.adminUrl, 'https://elsewhere.example/fhir']) {
      const refused = await app.refresh(refreshToken, { set: { resource } })
      assert.equal(refused.json.error, 'invalid_target')
    }
    const { status, json } = await app.refresh(refreshToken)
    assert.equal(status, 200, JSON.stringify(json))
    assert.equal(json.patient, 'patient-1')
  })
})

describe('the answer to a refresh, repeated within the grace window', () => {
  test('not after the user has taken the consent back', async () => {
    const { token, browser } = await launched()
    assert.equal((await app.refresh(token.refresh_token ?? '')).status, 200)
    await accountPage(browser, server.url)
    await revokeAll(browser, server.url)
    assert.equal((await app.refresh(token.refresh_token ?? '')).json.error, 'invalid_grant')
  })

  test('not after the user was disabled', async () => {
    const other = await server.user()
    const { token } = await server.launch(app, other, { scope: SCOPE, patient: 'patient-1' })
    assert.equal((await app.refresh(token.refresh_token ?? '')).status, 200)
    await server.admin('PATCH', `/users/${other.id}`, { disabled: true })
    assert.equal((await app.refresh(token.refresh_token ?? '')).json.error, 'invalid_grant')
  })

  test('one that was narrowed is not the whole', async () => {
    const { token } = await launched()
    const narrow = { set: { scope: 'patient/Patient.rs' } }
    await app.refresh(token.refresh_token ?? '', narrow)
    const { json } = await app.refresh(token.refresh_token ?? '')
    assert.equal(json.scope, 'patient/Patient.rs')
  })
})

describe('characters that no database takes', () => {
  const names = ['client_id', 'scope', 'code', 'refresh_token', 'redirect_uri', 'resource']
  for (const grant_type of ['authorization_code', 'refresh_token', 'client_credentials']) {
    test(`${grant_type}: no failure of ours`, async () => {
      for (const name of names) {
        const { status } = await app.post(
          server.tokenUrl,
          { grant_type, code: 'x', refresh_token: 'x', redirect_uri: app.redirectUri },
          { set: { [name]: 'a\0b' } },
        )
        assert.ok(status >= 400 && status <= 499, `${name}: ${status}`)
      }
    })
  }

  test('authorize: a page or an error of the request', async () => {
    for (const name of ['client_id', 'scope', 'state', 'launch', 'aud', 'login_hint', 'prompt']) {
      const { url } = app.authorize({ scope: SCOPE, set: { [name]: 'a\0b' } })
      const page = await browserOf(server).open(url)
      assert.ok(isAway(page) || page.status < 500, name)
    }
  })
})
