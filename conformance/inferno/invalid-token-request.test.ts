import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { authorizeInBrowser, codeOf } from '../support/launch-app.ts'
import { browserOf, openSmartServer } from '../support/open-smart-server.ts'
import { createSmartApp } from '../support/smart-app.ts'

// Ported from Inferno's groups `g10_smart_invalid_token_request_stu2_2` (9.17) and
// `g10_smart_invalid_pkce_code_verifier_group_stu2_2` (9.18).
const SCOPE = 'launch/patient openid fhirUser offline_access patient/Patient.rs'

const server = await openSmartServer()
after(() => server.close())
const app = await server.app({ scopes: SCOPE, as: 'secret' })
const person = await server.user()
const browser = browserOf(server)

async function authorized() {
  const request = app.authorize({ scope: SCOPE })
  const away = await authorizeInBrowser(browser, request, person, { patient: 'patient-1' })
  return { request, code: codeOf(away, request) }
}

describe('g10_smart_invalid_token_request_stu2_2', () => {
  test('9.17.03: a code that is none is refused', async () => {
    const { request } = await authorized()
    const { status, json } = await app.exchange('BAD_CODE', request)
    assert.equal(status, 400)
    assert.equal(json.error, 'invalid_grant')
  })

  test('9.17.04: a client that is none is refused', async () => {
    const { request, code } = await authorized()
    const { tokenUrl, fhirUrl, authorizeUrl } = server
    const other = createSmartApp(
      { ...app, clientId: 'BAD_CLIENT_ID' },
      { tokenUrl, fhirUrl, authorizeUrl },
    )
    const { status, json } = await other.exchange(code, request)
    assert.ok([400, 401].includes(status))
    assert.equal(json.error, 'invalid_client')
  })
})

describe('g10_smart_invalid_pkce_code_verifier_group_stu2_2', () => {
  const cases = {
    'smart_no_verifier_token_request (9.18.03): without a verifier': () => undefined,
    'smart_blank_verifier_token_request (9.18.06): with a blank one': () => '',
    'smart_bad_code_verifier_token_request (9.18.09): with a wrong one': () =>
      `${crypto.randomUUID()}-${crypto.randomUUID()}`,
    'smart_plain_code_verifier_token_request (9.18.12): with the challenge itself': (
      challenge: string,
    ) => challenge,
  }
  for (const [name, verifierOf] of Object.entries(cases)) {
    test(`${name} a code gets no token`, async () => {
      const { request, code } = await authorized()
      const set = { code_verifier: verifierOf(request.challenge) }
      const { status, json } = await app.exchange(code, request, { set })
      assert.ok([400, 401].includes(status))
      assert.ok(['invalid_grant', 'invalid_request'].includes(json.error ?? ''), json.error)
      assert.equal(json.access_token, undefined)
    })
  }
})
