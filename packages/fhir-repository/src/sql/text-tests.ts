import { type Clause, foldString } from '@scopegate/fhir-model'
import { storable } from '../text-keys.ts'
import type { Test, Tests } from './ast.ts'

/** Starts with, `:exact` or `:contains`, on `ix_str`. */
export function stringTests(text: string, modifier: Clause['modifier']): Tests {
  const folded = storable(foldString(text))
  if (modifier === 'contains')
    return [[{ column: 'v', operator: 'like', value: `%${likeText(folded)}%` }]]
  if (modifier === 'exact') {
    return [
      [
        { column: 'left(v, 200)', operator: '=', value: first200(folded) },
        { column: 'x', operator: '=', value: storable(text) },
      ],
    ]
  }
  return [prefixTests(folded)]
}

const likeText = (text: string): string => text.replace(/[\\%_]/g, '\\$&')
/** PostgreSQL counts characters as code points. */
const first200 = (text: string): string =>
  text.length <= 200 ? text : Array.from(text.slice(0, 400)).slice(0, 200).join('')

/** Starts with `prefix`, as a range of the index; long prefixes are compared whole besides. */
export function prefixTests(prefix: string): readonly Test[] {
  const start = first200(prefix)
  const tests: Test[] = [{ column: 'left(v, 200)', operator: '>=', value: start }]
  const end = afterAll(start)
  if (end !== undefined) tests.push({ column: 'left(v, 200)', operator: '<', value: end })
  if (start !== prefix) tests.push({ column: 'v', operator: 'like', value: `${likeText(prefix)}%` })
  return tests
}

/** The least text above everything that starts with `prefix`, by code point. */
function afterAll(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0)!)
  while (points.length > 0) {
    const last = points.pop()!
    if (last < 0x10ffff) {
      const next = last + 1 >= 0xd800 && last + 1 <= 0xdfff ? 0xe000 : last + 1
      return String.fromCodePoint(...points, next)
    }
  }
  return undefined
}
