import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Form } from '../pages/read-form.ts'
import { type Offered, selectScopes } from './select-scopes.ts'

const LAB = 'patient/Observation.rs?category=laboratory'
const VITALS = 'patient/Observation.rs?category=vital-signs'
const OFFERED: readonly Offered[] = [
  { scope: 'openid', title: 'openid', kinds: [] },
  { scope: 'patient/Observation.rs', title: 'results', kinds: [{ scope: LAB }, { scope: VITALS }] },
]

function formOf(fields: Readonly<Record<string, readonly string[]>>): Form {
  const all = (name: string) => fields[name] ?? []
  return { all, one: (name) => (all(name).length === 1 ? all(name)[0] : undefined) }
}

test('a scope that is narrowed gives way to its kinds', () => {
  const form = formOf({
    scope: ['patient/Observation.rs'],
    'mode patient/Observation.rs': ['only'],
    'kind patient/Observation.rs': [VITALS],
  })
  assert.deepEqual(selectScopes(OFFERED, form), { kind: 'selected', scopes: [VITALS] })
})

test('kinds of an unticked scope are nothing, and so is a form without fields', () => {
  const form = formOf({ 'kind patient/Observation.rs': [LAB] })
  assert.deepEqual(selectScopes(OFFERED, form), { kind: 'selected', scopes: [] })
  assert.deepEqual(selectScopes(OFFERED, formOf({})), { kind: 'selected', scopes: [] })
})

test('all of it is allowed only where that is said', () => {
  for (const mode of [[], ['only'], ['all', 'only'], ['other']]) {
    const form = formOf({ scope: ['patient/Observation.rs'], 'mode patient/Observation.rs': mode })
    assert.deepEqual(selectScopes(OFFERED, form), { kind: 'incomplete', title: 'results' })
  }
})

test('law: nothing is selected that was not offered, whatever the form holds', () => {
  const texts = fc.constantFrom('openid', 'patient/Observation.rs', LAB, VITALS, 'user/*.cruds', '')
  const names = [
    'scope',
    'mode patient/Observation.rs',
    'kind patient/Observation.rs',
    'kind openid',
  ]
  const fields = fc.record(
    Object.fromEntries(names.map((name) => [name, fc.array(fc.oneof(texts, fc.constant('all')))])),
    { noNullPrototype: true },
  )
  const offered = new Set(
    OFFERED.flatMap(({ scope, kinds }) => [scope, ...kinds.map((k) => k.scope)]),
  )
  fc.assert(
    fc.property(fields, (given) => {
      const selection = selectScopes(OFFERED, formOf(given))
      if (selection.kind === 'incomplete') return
      for (const scope of selection.scopes) assert.ok(offered.has(scope))
    }),
  )
})
