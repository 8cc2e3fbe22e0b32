import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Launched } from '../support/launch-app.ts'
import { openSmartServer } from '../support/open-smart-server.ts'
import type { SmartApp } from '../support/smart-app.ts'
import {
  assertScopesGranted,
  assertTokenBody,
  assertTokenHeaders,
  PATIENT_TYPES,
  STANDALONE_V2,
} from './token-body.ts'

// Ported from Inferno's group `smart_standalone_launch_stu2_2` with what g10 adds (1.9), for each way
// in which an app authenticates: g10 9.16 public, 9.21 asymmetric.
const server = await openSmartServer()
after(() => server.close())
const person = await server.user()

const kinds = {
  'public client (9.16)': 'public',
  'confidential symmetric client (1.9)': 'secret',
  'confidential asymmetric client, RS384 (9.21)': 'RS384',
  'confidential asymmetric client, ES384 (9.21)': 'ES384',
} as const

for (const [kind, as] of Object.entries(kinds)) {
  describe(`smart_standalone_launch_stu2_2, ${kind}`, () => {
    let app: SmartApp
    let launched: Launched

    before(async () => {
      app = await server.app({ scopes: STANDALONE_V2, as })
      const origin = new URL(app.redirectUri).origin
      launched = await server.launch(app, person, {
        scope: STANDALONE_V2,
        patient: 'patient-3',
        exchange: { headers: as === 'public' ? { origin } : {} },
      })
    })

    test('smart_app_redirect_stu2: the browser comes back to the app', () => {
      const { origin, pathname } = launched.away.away
      assert.equal(`${origin}${pathname}`, app.redirectUri)
    })

    test('smart_code_received: with a code, the state, and no error', () => {
      const params = launched.away.away.searchParams
      assert.ok(params.get('code'))
      assert.equal(params.get('state'), launched.request.state)
      assert.equal(params.get('error'), null)
    })

    test('smart_token_exchange_stu2_2: the code is exchanged', () => {
      assert.equal(launched.answer.status, 200)
    })

    test('smart_token_response_body_stu2_2: the answer holds all that is required', () => {
      assertTokenBody(launched.token)
    })

    test('smart_token_response_headers: the answer is not cached', () => {
      assertTokenHeaders(launched.answer)
    })

    test('smart_cors_token_exchange: the token endpoint answers the origin of a public app', () => {
      const allowed = launched.answer.headers.get('access-control-allow-origin')
      if (as !== 'public') return assert.equal(allowed, null)
      assert.equal(allowed, new URL(app.redirectUri).origin)
    })

    test('g10_smart_scopes: what was asked for is granted', () => {
      assertScopesGranted(
        launched.token.scope,
        'patient',
        ['openid', 'fhirUser', 'launch/patient', 'offline_access'],
        PATIENT_TYPES,
      )
    })

    test('g10_unauthorized_access: without a token nothing is read', async () => {
      const response = await server.fhir(undefined, `Patient/${launched.token.patient}`)
      assert.equal(response.status, 401)
    })

    test('g10_patient_context: the patient of the launch can be read', async () => {
      assert.equal(launched.token.patient, 'patient-3')
      const response = await server.fhir(launched.accessToken, `Patient/${launched.token.patient}`)
      assert.equal(response.status, 200)
      assert.equal(((await response.json()) as { resourceType: string }).resourceType, 'Patient')
    })

    test('g10_public_launch_id_token, g10_asymmetric_launch_id_token: with an ID token', () => {
      assert.ok(launched.token.id_token)
    })
  })
}
