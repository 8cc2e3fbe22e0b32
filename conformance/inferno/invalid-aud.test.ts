import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { isAway } from '../support/browser.ts'
import { authorizeInBrowser } from '../support/launch-app.ts'
import { browserOf, openSmartServer } from '../support/open-smart-server.ts'

// Ported from Inferno's group `g10_smart_invalid_aud` (9.4).
const SCOPE = 'launch/patient openid fhirUser offline_access patient/Patient.rs'

const server = await openSmartServer()
after(() => server.close())
const app = await server.app({ scopes: SCOPE, as: 'secret' })
const person = await server.user()

describe('g10_smart_invalid_aud', () => {
  test('9.4.04: the app does not receive a code for another audience', async () => {
    const request = app.authorize({
      scope: SCOPE,
      set: { aud: 'https://inferno.healthit.gov/invalid_aud' },
    })
    const result = await browserOf(server).open(request.url)
    assert.ok(isAway(result), 'the app is told')
    const params = result.away.searchParams
    assert.equal(params.get('code'), null)
    assert.ok(['invalid_request', 'invalid_target'].includes(params.get('error') ?? ''))
    assert.equal(params.get('state'), request.state)
  })

  test('the same request for the FHIR base gets one', async () => {
    const request = app.authorize({ scope: SCOPE })
    const { away } = await authorizeInBrowser(browserOf(server), request, person, {
      patient: 'patient-1',
    })
    assert.ok(away.searchParams.get('code'))
  })
})
