import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkLaunchContext, defaultGrants } from '@scopegate/oauth-model'

const full = {
  patient: 'a-1.B',
  encounter: '7',
  need_patient_banner: false,
  intent: 'reconcile-medications',
  smart_style_url: 'https://ehr.example/style/1.json',
  tenant: 'north',
  fhirContext: [
    { reference: 'ImagingStudy/123' },
    { reference: 'ImagingStudy/124' },
    { reference: 'Questionnaire/1/_history/2', role: 'https://ehr.example/roles/form' },
    { canonical: 'https://example.org/Questionnaire/x|4', type: 'Questionnaire' },
    { identifier: { system: 'urn:x', value: '1' }, type: 'Procedure', role: 'launch' },
    { reference: 'Patient/mother', role: 'https://ehr.example/roles/mother' },
  ],
}

test('a launch context with everything is taken as it is', () => {
  assert.deepEqual(checkLaunchContext(full), { ok: true, context: full })
  assert.deepEqual(checkLaunchContext({}), { ok: true, context: {} })
})

describe('a launch context is refused', () => {
  for (const [what, members, member] of [
    ['with a reference for an id', { patient: 'Patient/1' }, 'patient'],
    ['with an id of 65 characters', { encounter: 'a'.repeat(65) }, 'encounter'],
    ['with an empty id', { patient: '' }, 'patient'],
    ['with a number for an id', { patient: 1 }, 'patient'],
    ['with a text for a banner', { need_patient_banner: 'true' }, 'need_patient_banner'],
    ['with an empty intent', { intent: '' }, 'intent'],
    ['with a style that is a script', { smart_style_url: 'javascript:x' }, 'smart_style_url'],
    ['with a claim that is not of a launch', { sub: 'admin' }, 'sub'],
    ['with a prototype', JSON.parse('{"__proto__": 1}'), '__proto__'],
    ['whose fhirContext is an object', { fhirContext: {} }, 'fhirContext'],
    ['whose fhirContext holds a text', { fhirContext: ['Patient/1'] }, 'fhirContext[0]'],
    ['whose item names nothing', { fhirContext: [{ role: 'launch' }] }, 'fhirContext[0]'],
    [
      'whose reference is absolute',
      { fhirContext: [{ reference: 'https://x.example/Patient/1' }] },
      'fhirContext[0].reference',
    ],
    [
      'whose role is empty',
      { fhirContext: [{ reference: 'List/1' }, { reference: 'List/1', role: '' }] },
      'fhirContext[1].role',
    ],
    [
      'whose role is a word',
      { fhirContext: [{ reference: 'List/1', role: 'form' }] },
      'fhirContext[0].role',
    ],
    ['that hides a patient', { fhirContext: [{ reference: 'Patient/1' }] }, 'fhirContext[0]'],
    [
      'that hides an encounter by its type',
      { fhirContext: [{ identifier: { value: '1' }, type: 'Encounter', role: 'launch' }] },
      'fhirContext[0]',
    ],
    [
      'whose identifier has no value',
      { fhirContext: [{ identifier: { system: 'urn:x' } }] },
      'fhirContext[0].identifier',
    ],
    [
      'with an unknown item member',
      { fhirContext: [{ reference: 'List/1', x: 1 }] },
      'fhirContext[0].x',
    ],
  ] as const) {
    test(what, () => {
      const checked = checkLaunchContext(members)
      assert.ok(!checked.ok)
      assert.deepEqual(
        checked.problems.map((problem) => problem.member),
        [member],
      )
      assert.ok(checked.problems.every(({ why, fix }) => why !== '' && fix !== ''))
    })
  }
})

test('grants follow from scopes and redirect URIs', () => {
  const uris = ['https://app.example/cb']
  for (const [scopes, redirectUris, grants] of [
    ['system/*.rs', [], ['client_credentials']],
    ['openid patient/*.rs', uris, ['authorization_code']],
    ['openid online_access', uris, ['authorization_code', 'refresh_token']],
    ['user/*.rs system/*.rs', uris, ['authorization_code', 'client_credentials']],
    ['user/*.rs', [], ['client_credentials']],
  ] as const) {
    assert.deepEqual(defaultGrants(scopes, redirectUris), grants)
  }
})
