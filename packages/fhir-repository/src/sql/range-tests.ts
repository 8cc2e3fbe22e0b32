import type { SearchValue } from '@scopegate/fhir-model'
import { codeKey, EARLIEST_MS, LATEST_MS, unitKey } from '../index-rows.ts'
import type { Test, Tests } from './ast.ts'

type Of<K extends SearchValue['kind']> = Extract<SearchValue, { kind: K }>

/** A date prefix on the span [lo, hi) of `ix_date`. */
export function dateTests({ prefix, fromMs, toMs }: Of<'date'>): Tests {
  const from = Math.max(Math.floor(fromMs), EARLIEST_MS)
  const to = Math.min(Math.ceil(toMs), LATEST_MS)
  const within: readonly Test[] = [
    { column: 'lo', operator: '>=', value: from },
    { column: 'hi', operator: '<=', value: to },
  ]
  const reachesAbove: Test = { column: 'hi', operator: '>', value: to }
  const reachesBelow: Test = { column: 'lo', operator: '<', value: from }
  switch (prefix) {
    case 'eq':
      return [within]
    case 'ne':
      return [[reachesAbove], [reachesBelow]]
    case 'gt':
      return [[reachesAbove]]
    case 'lt':
      return [[reachesBelow]]
    // What reaches above or lies within ends behind `from`: a common part that an index can use.
    case 'ge': {
      const endsBehind: Test = { column: 'hi', operator: '>', value: from }
      return [
        [endsBehind, reachesAbove],
        [endsBehind, { column: 'lo', operator: '>=', value: from }],
      ]
    }
    case 'le': {
      const startsBefore: Test = { column: 'lo', operator: '<', value: to }
      return [
        [startsBefore, reachesBelow],
        [startsBefore, { column: 'hi', operator: '<=', value: to }],
      ]
    }
    case 'sa':
      return [[{ column: 'lo', operator: '>=', value: to }]]
    case 'eb':
      return [[{ column: 'hi', operator: '<=', value: from }]]
    case 'ap':
      return [
        [
          { column: 'lo', operator: '<', value: to },
          { column: 'hi', operator: '>', value: from },
        ],
      ]
    default:
      throw new TypeError(`unknown prefix ${prefix as string}`)
  }
}

/** `_lastUpdated` is an instant: the span [lu, lu + 1). */
export function instantTests(value: Of<'date'>): Tests {
  return dateTests(value).map((all) =>
    all.map((test): Test => {
      if (test.column === 'lo') return { ...test, column: 'lu' }
      return { ...test, column: 'lu', value: Number(test.value) - 1 }
    }),
  )
}

/** A code without a system may be the coded unit or the one written for humans. */
export function unitTests({ system, code }: Of<'quantity'>): readonly (readonly Test[])[] {
  if (code === undefined) return [[]]
  if (system !== undefined) {
    return [[{ column: 'u', operator: '=', value: unitKey(system, code) }]]
  }
  return [
    [{ column: 'c', operator: '=', value: codeKey(code) }],
    [{ column: 'n', operator: '=', value: codeKey(code) }],
  ]
}

/** A number prefix on the bounds [lo, hi] of `ix_num`. */
export function rangeTests({ prefix, value, low, high }: Of<'number'> | Of<'quantity'>): Tests {
  const within: readonly Test[] = [
    { column: 'lo', operator: '>=', value: low },
    { column: 'hi', operator: '<', value: high },
  ]
  switch (prefix) {
    case 'eq':
      return [within]
    case 'ne':
      return [
        [{ column: 'lo', operator: '<', value: low }],
        [{ column: 'hi', operator: '>=', value: high }],
      ]
    case 'gt':
      return [[{ column: 'hi', operator: '>', value }]]
    case 'lt':
      return [[{ column: 'lo', operator: '<', value }]]
    case 'ge':
      return [[{ column: 'hi', operator: '>=', value }]]
    case 'le':
      return [[{ column: 'lo', operator: '<=', value }]]
    case 'sa':
      return [[{ column: 'lo', operator: '>', value }]]
    case 'eb':
      return [[{ column: 'hi', operator: '<', value }]]
    case 'ap':
      return [
        [
          { column: 'hi', operator: '>=', value: low },
          { column: 'lo', operator: '<', value: high },
        ],
      ]
    default:
      throw new TypeError(`unknown prefix ${prefix as string}`)
  }
}
