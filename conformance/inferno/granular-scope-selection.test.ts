import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { openSmartServer } from '../support/open-smart-server.ts'

// Ported from Inferno's group `g10_smart_granular_scope_selection` (9.15 with SMART 2.0, 9.26 with
// 2.2): resource-level scopes are asked for, and the user narrows them to categories.
const SCOPE =
  'launch/patient openid fhirUser offline_access patient/Condition.rs patient/Observation.rs patient/Patient.rs'

const server = await openSmartServer()
after(() => server.close())
const app = await server.app({ scopes: SCOPE, as: 'secret' })
const launched = await server.launch(app, await server.user(), {
  scope: SCOPE,
  patient: 'patient-1',
  consent: {
    narrow: {
      'patient/Condition.rs': (scope) => scope.includes('problem-list-item'),
      'patient/Observation.rs': (scope) =>
        scope.includes('laboratory') || scope.includes('vital-signs'),
    },
  },
})
const granted = launched.token.scope?.split(' ') ?? []

describe('g10_smart_granular_scope_selection', () => {
  test('granular scopes are granted instead of the resource-level ones', () => {
    for (const type of ['Condition', 'Observation']) {
      assert.ok(!granted.some((scope) => new RegExp(`${type}\\.(\\*|read|c?ru?d?s?)$`).test(scope)))
      assert.ok(
        granted.some((scope) => new RegExp(`${type}\\.(\\*|c?ru?d?s?)\\?.+=.+`).test(scope)),
      )
    }
    assert.ok(granted.includes('patient/Patient.rs'))
  })

  test('exactly those that the user chose', () => {
    const granular = granted.filter((scope) => scope.includes('?'))
    assert.equal(granular.length, 3)
    assert.deepEqual(granular.map((scope) => scope.split('|').at(-1)).toSorted(), [
      'laboratory',
      'problem-list-item',
      'vital-signs',
    ])
  })

  test('g10_smart_scopes: the other scopes are granted', () => {
    for (const scope of ['openid', 'fhirUser', 'launch/patient', 'offline_access']) {
      assert.ok(granted.includes(scope), scope)
    }
  })

  test('the token sees these categories and no other', async () => {
    const response = await server.fhir(launched.accessToken, 'Observation?_count=1000')
    assert.equal(response.status, 200)
    const { entry = [] } = (await response.json()) as {
      entry?: { resource: { category: { coding: { code: string }[] }[] } }[]
    }
    const seen = new Set(
      entry.flatMap(({ resource }) =>
        resource.category.flatMap(({ coding }) => coding.map(({ code }) => code)),
      ),
    )
    assert.deepEqual([...seen].toSorted(), ['laboratory', 'vital-signs'])
  })
})
