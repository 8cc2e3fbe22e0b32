import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { candidateScopes, narrow, withContext } from './candidate-scopes.ts'

const OC = 'http://terminology.hl7.org/CodeSystem/observation-category'
const LAB = `patient/Observation.rs?category=${OC}|laboratory`

/** requested ⊓ registered, as text; the codes of what was left out. */
function candidates(requested: string, registered: string, fhirUser: string | null = 'Patient/1') {
  const answer = candidateScopes({
    requested,
    client: { scopes: registered },
    ...(fhirUser === null ? {} : { user: { fhirUser } }),
  })
  const codes = answer.remarks.map(({ code }) => code)
  return [answer.candidates.join(' '), ...codes]
}

describe('what a client may be given', () => {
  for (const [what, requested, registered, expected] of [
    ['all of it', 'patient/Observation.rs', 'patient/*.cruds', ['patient/Observation.rs']],
    ['S-11: what it is registered for', 'patient/Observation.rs', LAB, [LAB, 'scope_narrowed']],
    [
      'S-13: the letters of both',
      'patient/Observation.cruds',
      'patient/Observation.rs',
      ['patient/Observation.rs', 'scope_narrowed'],
    ],
    [
      'S-14: not what cannot be evaluated, and the others all the same',
      'patient/Observation.dus patient/Observation.rs?nothing=1 patient/Patient.rs',
      'patient/*.cruds',
      ['patient/Patient.rs', 'scope_not_evaluable', 'scope_not_evaluable'],
    ],
    [
      'v1 as it was asked',
      'patient/Observation.read',
      'patient/*.cruds',
      ['patient/Observation.read'],
    ],
    [
      'v2 when something was taken from v1',
      'patient/Observation.*',
      'patient/Observation.rs',
      ['patient/Observation.rs', 'scope_narrowed'],
    ],
    [
      'each scope that it names, though another one covers it',
      'patient/*.rs patient/Patient.rs',
      'patient/*.cruds',
      ['patient/*.rs patient/Patient.rs'],
    ],
    [
      'nothing of another context',
      'user/Patient.rs',
      'patient/*.cruds',
      ['', 'scope_not_registered'],
    ],
    [
      'nothing of a program, though it is registered',
      'system/*.rs admin/clients.read openid',
      'system/*.rs admin/clients.read openid',
      ['openid', 'scope_needs_program', 'scope_needs_program'],
    ],
    ['no scope that nobody knows', 'openid magic', 'openid magic', ['openid', 'scope_unknown']],
  ] as const) {
    test(`is ${what}`, () => assert.deepEqual(candidates(requested, registered), expected))
  }

  test('has `fhirUser` only for a user who is a person in the FHIR data', () => {
    const all = 'openid fhirUser'
    assert.deepEqual(candidates(all, all), [all])
    assert.deepEqual(candidates(all, all, null), [all], 'not known yet')
    const answer = candidateScopes({ requested: all, client: { scopes: all }, user: {} })
    assert.deepEqual(answer.candidates, ['openid'])
    assert.equal(answer.remarks[0]?.code, 'scope_needs_context')
  })
})

describe('what a user allows', () => {
  const asked = ['openid', 'patient/Observation.rs', 'patient/Condition.read']

  test('are candidates, or categories in place of a resource', () => {
    assert.deepEqual(narrow(asked, ['openid', LAB]), ['openid', LAB])
    assert.deepEqual(narrow(asked, asked), asked)
    assert.deepEqual(narrow(asked, ['patient/Condition.r']), ['patient/Condition.r'])
    assert.deepEqual(narrow(asked, []), [])
  })

  test('is never more than was asked, whatever a form posts', () => {
    const posted = [
      'patient/Observation.cruds',
      'patient/*.rs',
      'user/Observation.rs',
      'system/Observation.rs',
      'offline_access',
      'patient/Condition.cud',
      'patient/Observation.rs patient/Patient.rs',
      '',
    ]
    assert.deepEqual(narrow(asked, posted), [])
  })
})

test('without its context a scope is not granted', () => {
  const scopes = ['openid', 'launch/patient', 'launch/encounter', 'patient/Patient.rs', 'user/*.rs']
  assert.deepEqual(withContext(scopes, {}), ['openid', 'user/*.rs'])
  assert.deepEqual(withContext(scopes, { patient: 'p' }), [
    'openid',
    'launch/patient',
    'patient/Patient.rs',
    'user/*.rs',
  ])
  assert.deepEqual(withContext(scopes, { patient: 'p', encounter: 'e' }), scopes)
})
