import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { openSmartServer } from '../support/open-smart-server.ts'
import { PATIENT_TYPES, STANDALONE_V2 } from './token-body.ts'

// Ported from Inferno's group `g10_smart_limited_app` (2): the user grants three types only.
const EXPECTED = ['Patient', 'Condition', 'Observation']

const server = await openSmartServer()
after(() => server.close())
const app = await server.app({ scopes: STANDALONE_V2, as: 'secret' })
const launched = await server.launch(app, await server.user(), {
  scope: STANDALONE_V2,
  patient: 'patient-1',
  consent: {
    keep: (scope) => !scope.includes('.') || EXPECTED.some((type) => scope.includes(`/${type}.`)),
  },
})

describe('g10_smart_limited_app', () => {
  test('g10_limited_scope_grant: exactly what the user chose is granted', () => {
    const granted = (launched.token.scope ?? '')
      .split(' ')
      .map((scope) => /^patient\/([A-Za-z]+)\.rs/.exec(scope)?.[1])
      .filter((type) => type !== undefined)
    assert.deepEqual(granted.toSorted(), EXPECTED.toSorted())
    for (const scope of ['openid', 'fhirUser', 'launch/patient', 'offline_access']) {
      assert.ok(launched.token.scope?.split(' ').includes(scope), scope)
    }
  })

  test('g10_patient_restricted_access: the patient can be read', async () => {
    assert.equal((await server.fhir(launched.accessToken, 'Patient/patient-1')).status, 200)
  })

  for (const type of PATIENT_TYPES.filter((name) => name !== 'Patient')) {
    const allowed = EXPECTED.includes(type)
    test(`g10_${snakeCase(type)}_restricted_access: ${allowed ? 'allowed' : 'refused'}`, async () => {
      const response = await server.fhir(launched.accessToken, `${type}?patient=patient-1`)
      assert.equal(response.status, allowed ? 200 : 403)
    })
  }
})

function snakeCase(type: string): string {
  return type.replace(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase()
}
