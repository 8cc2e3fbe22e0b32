import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Launched } from '../support/launch-app.ts'
import { openSmartServer } from '../support/open-smart-server.ts'
import type { SmartApp } from '../support/smart-app.ts'
import {
  assertScopesGranted,
  assertTokenBody,
  assertTokenHeaders,
  EHR_V2,
  PATIENT_TYPES,
} from './token-body.ts'

// Ported from Inferno's group `smart_ehr_launch_stu2_2` with what g10 adds (3.8), and from g10 9.19,
// `g10_ehr_patient_launch_stu2_2`. The authorization request is a form, as g10 sends it.
const server = await openSmartServer()
after(() => server.close())
const person = await server.user()

describe('smart_ehr_launch_stu2_2, practitioner (3.8)', () => {
  let app: SmartApp
  let launched: Launched
  let launch: string

  before(async () => {
    app = await server.app({
      scopes: EHR_V2,
      as: 'secret',
      set: { launch_url: 'http://127.0.0.1:9/launch' },
    })
    launch = await server.ehrLaunch(app, person, {
      patient: 'patient-3',
      encounter: await encounterOf('patient-3'),
      need_patient_banner: false,
      smart_style_url: `${server.fhirUrl}/metadata`,
      intent: 'reconcile-medications',
      fhirContext: [{ reference: 'Organization/org-1', role: 'https://example.org/sent-by' }],
    })
    launched = await server.launch(app, person, { scope: EHR_V2, launch, byPost: true })
  })

  test('smart_app_launch, smart_launch_received: the EHR gives an opaque launch parameter', () => {
    assert.match(launch, /^[A-Za-z0-9_-]{22,}$/)
  })

  test('smart_app_redirect_stu2, smart_code_received: the browser brings a code', () => {
    assert.ok(launched.code)
  })

  test('smart_token_exchange_stu2_2, smart_token_response_body_stu2_2: and it is exchanged', () => {
    assertTokenBody(launched.token)
  })

  test('smart_token_response_headers: the answer is not cached', () => {
    assertTokenHeaders(launched.answer)
  })

  test('g10_smart_scopes: what was asked for is granted', () => {
    assertScopesGranted(
      launched.token.scope,
      'user',
      ['openid', 'fhirUser', 'launch', 'offline_access'],
      PATIENT_TYPES,
    )
  })

  test('g10_unauthorized_access: without a token nothing is read', async () => {
    const response = await server.fhir(undefined, `Patient/${launched.token.patient}`)
    assert.equal(response.status, 401)
  })

  test('g10_patient_context: the patient of the launch can be read', async () => {
    assert.equal(launched.token.patient, 'patient-3')
    const response = await server.fhir(launched.accessToken, 'Patient/patient-3')
    assert.equal(response.status, 200)
  })

  test('g10_encounter_context: the encounter of the launch can be read', async () => {
    const response = await server.fhir(
      launched.accessToken,
      `Encounter/${launched.token.encounter}`,
    )
    assert.equal(response.status, 200)
    assert.equal(((await response.json()) as { resourceType: string }).resourceType, 'Encounter')
  })

  test('g10_smart_style_url: it leads to JSON', async () => {
    const response = await fetch(launched.token.smart_style_url ?? '')
    assert.equal(response.status, 200)
    assert.ok(await response.json())
  })

  test('g10_smart_need_patient_banner: it is there, even as false', () => {
    assert.equal(launched.token.need_patient_banner, false)
  })

  test('the other members of the context are there too', () => {
    assert.equal(launched.token.intent, 'reconcile-medications')
    assert.deepEqual(launched.token.fhirContext, [
      { reference: 'Organization/org-1', role: 'https://example.org/sent-by' },
    ])
  })
})

describe('g10_ehr_patient_launch_stu2_2 (9.19)', () => {
  let launched: Launched

  before(async () => {
    const scope = 'launch openid fhirUser offline_access patient/Patient.rs patient/Observation.rs'
    const app = await server.app({ scopes: scope, as: 'public' })
    const launch = await server.ehrLaunch(app, person, { patient: 'patient-4' })
    const { origin } = new URL(app.redirectUri)
    launched = await server.launch(app, person, {
      scope,
      launch,
      exchange: { headers: { origin } },
    })
  })

  test('smart_token_response_body_stu2_2: the code is exchanged', () => {
    assertTokenBody(launched.token)
    assertTokenHeaders(launched.answer)
  })

  test('smart_cors_token_exchange: the token endpoint answers the origin of the app', () => {
    assert.ok(launched.answer.headers.get('access-control-allow-origin'))
  })

  test('g10_patient_context: the patient of the launch can be read, and no other', async () => {
    assert.equal(launched.token.patient, 'patient-4')
    assert.equal((await server.fhir(launched.accessToken, 'Patient/patient-4')).status, 200)
    assert.equal((await server.fhir(launched.accessToken, 'Patient/patient-3')).status, 404)
  })

  test('g10_patient_scope: patient-level scopes are granted', () => {
    const scopes = launched.token.scope?.split(' ') ?? []
    assert.ok(scopes.includes('patient/Patient.rs'))
  })
})

async function encounterOf(patient: string): Promise<string> {
  const reader = await server.app({
    scopes: 'system/Encounter.rs',
    as: 'secret',
    grants: ['client_credentials'],
  })
  const { json } = await reader.clientCredentials('system/Encounter.rs')
  const response = await server.fhir(json.access_token, `Encounter?patient=${patient}&_count=1`)
  const bundle = (await response.json()) as { entry?: { resource: { id: string } }[] }
  const id = bundle.entry?.[0]?.resource.id
  assert.ok(id, `${patient} has an encounter`)
  return id
}
