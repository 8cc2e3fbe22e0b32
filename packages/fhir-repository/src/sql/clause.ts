import { type Clause, type SearchValue, searchParameter, uriAncestors } from '@scopegate/fhir-model'
import { type Key, presenceKey } from '../keys.ts'
import type { ParamNumbers } from '../param-numbers.ts'
import {
  canonicalKey,
  fieldOf,
  hasCases,
  identifierField,
  ofTypeKey,
  referenceKey,
  storable,
  tiedKey,
  tieField,
  tokenKeys,
  uriKey,
} from '../text-keys.ts'
import {
  bothOf,
  type Condition,
  eitherOf,
  exactly,
  keysAny,
  LEFT_TO_MATCHER,
  noneOf,
  type Prefilter,
  type Test,
} from './ast.ts'
import { dateTests, instantTests, rangeTests, unitTests } from './range-tests.ts'
import { prefixTests, stringTests } from './text-tests.ts'

type Of<K extends SearchValue['kind']> = Extract<SearchValue, { kind: K }>

/** What SQL can say of one clause on `type`. @throws {TypeError} for what it does not know. */
export function clausePrefilter(
  type: string,
  clause: Clause,
  params: ParamNumbers,
  base: string | undefined,
): Prefilter {
  const { modifier, values } = clause
  if (values.length === 0) throw new TypeError('a clause without values has no meaning')
  const any = eitherOf(values.map((value) => one(type, clause, value, params, base)))
  return modifier === 'not' ? noneOf(any) : any
}

function one(
  type: string,
  clause: Clause,
  value: SearchValue,
  params: ParamNumbers,
  base: string | undefined,
): Prefilter {
  const { param: code, modifier } = clause
  const field = fieldOf(type, code)
  const number = () => params.numberOf(type, code)
  switch (value.kind) {
    case 'missing':
      return missing(type, code, value.missing)
    case 'token':
      return code === '_id' ? byId(value) : exactly(tokenCondition(field, value))
    case 'identifier':
      return exactly(
        tokenCondition(identifierField(type, code), {
          kind: 'token',
          ...(value.system === undefined ? {} : { system: value.system }),
          ...(value.value === undefined ? {} : { code: value.value }),
        }),
      )
    case 'of-type':
      return exactly(keysAny(ofTypeKey(field, value.system, value.code, value.value)))
    case 'reference':
      return referenceCondition(field, value, base)
    case 'uri':
      return uriCondition(field, value.uri, modifier, number)
    case 'string':
      return exactly({
        kind: 'index',
        table: 'ix_str',
        param: number(),
        tests: stringTests(value.text, modifier),
      })
    case 'date':
      return code === '_lastUpdated'
        ? exactly({ kind: 'updated', tests: instantTests(value) })
        : exactly({ kind: 'index', table: 'ix_date', param: number(), tests: dateTests(value) })
    case 'number': {
      const tests = rangeTests(value).map((all) => [NO_TIE, ...all])
      return exactly({ kind: 'index', table: 'ix_num', param: number(), tests })
    }
    case 'quantity':
      return quantityCondition(number(), '0', value)
    case 'composite':
      return compositeCondition(type, clause, value, params, base)
    default:
      throw new TypeError(`no SQL for a value of kind ${(value as SearchValue).kind}`)
  }
}

function missing(type: string, code: string, isMissing: boolean): Prefilter {
  if (code === '_id' || code === '_lastUpdated') return LEFT_TO_MATCHER
  const present = exactly(keysAny(presenceKey(type, code)))
  return isMissing ? noneOf(present) : present
}

function byId(value: Of<'token'>): Prefilter {
  if (value.code === undefined || (value.system !== undefined && value.system !== '')) {
    return LEFT_TO_MATCHER
  }
  return exactly({ kind: 'ids', ids: [storable(value.code)] })
}

function tokenCondition(field: string, { system, code }: Of<'token'>): Condition {
  if (code === undefined) {
    if (system === undefined) throw new TypeError('a token without system and code has no meaning')
    return keysAny(tokenKeys.system(field, system))
  }
  if (system === undefined || system === '') {
    const [exact, folded] =
      system === undefined
        ? [tokenKeys.code(field, code), tokenKeys.foldedCode]
        : [tokenKeys.both(field, '', code), tokenKeys.foldedBare]
    return hasCases(code) ? keysAny(exact, folded(field, code)) : keysAny(exact)
  }
  return keysAny(tokenKeys.both(field, system, code))
}

function referenceCondition(
  field: string,
  value: Of<'reference'>,
  base: string | undefined,
): Prefilter {
  const { type, id, url, version } = value
  const alternatives: string[] = []
  if (id !== undefined) {
    alternatives.push(referenceKey(field, `${type ?? '*'}/${id}`))
    if (base !== undefined && type !== undefined && version === undefined) {
      // A canonical with a version stays a URL, also below our own base.
      alternatives.push(referenceKey(field, `${base}/${type}/${id}`))
    }
  }
  if (url !== undefined) {
    alternatives.push(
      version === undefined ? referenceKey(field, url) : canonicalKey(field, url, version),
    )
  }
  if (alternatives.length === 0) throw new TypeError('a reference without a target has no meaning')
  return { condition: keysAny(...alternatives), exact: id === undefined || version === undefined }
}

function uriCondition(
  field: string,
  uri: string,
  modifier: Clause['modifier'],
  param: () => number,
): Prefilter {
  if (modifier === 'below') {
    return {
      condition: {
        kind: 'index',
        table: 'ix_str',
        param: param(),
        tests: [prefixTests(storable(uri))],
      },
      exact: true,
    }
  }
  if (modifier === 'above') {
    return exactly(keysAny(...uriAncestors(uri).map((part) => uriKey(field, part))))
  }
  return exactly(keysAny(uriKey(field, uri)))
}

/** @param tie What a composite ties the quantity to, `'0'` for a quantity of its own. */
function quantityCondition(param: number, tie: Key, value: Of<'quantity'>): Prefilter {
  const tied: Test = tie === '0' ? NO_TIE : { column: 'k', operator: '=', value: tie }
  const tests = rangeTests(value).flatMap((all) =>
    unitTests(value).map((unit) => [tied, ...all, ...unit]),
  )
  return {
    condition: { kind: 'index', table: 'ix_num', param, tests },
    exact: value.system === undefined || value.code !== undefined,
  }
}

const NO_TIE: Test = { column: 'k', operator: '=', value: '0' }

/** The composites that are indexed as they are tied, asked for by system and code. */
function tiedCondition(
  type: string,
  code: string,
  { parts }: Of<'composite'>,
  params: ParamNumbers,
): Prefilter | undefined {
  const [first, second] = parts
  if (parts.length !== 2 || first?.kind !== 'token') return undefined
  if (first.system === undefined || first.code === undefined) return undefined
  const tie = tokenKeys.both(tieField(type, code, 0), first.system, first.code)
  if (second?.kind === 'token' && second.system !== undefined && second.code !== undefined) {
    const key = tokenKeys.both(tieField(type, code, 1), second.system, second.code)
    return exactly(keysAny(tiedKey(tie, key)))
  }
  return second?.kind === 'quantity'
    ? quantityCondition(params.numberOf(type, code), tie, second)
    : undefined
}

/** Each part must be found somewhere in the resource; that they belong together is not asked here. */
function compositeCondition(
  type: string,
  clause: Clause,
  value: Of<'composite'>,
  params: ParamNumbers,
  base: string | undefined,
): Prefilter {
  const tied = tiedCondition(type, clause.param, value, params)
  if (tied !== undefined) return tied
  const components = searchParameter(type, clause.param)?.components ?? []
  const parts = value.parts.flatMap((part, index) => {
    const component = components[index]
    if (component === undefined || searchParameter(type, component.code) === undefined) return []
    if (part.kind === 'composite') throw new TypeError('a composite within a composite')
    return [
      one(type, { ...clause, param: component.code, type: component.type }, part, params, base),
    ]
  })
  return { ...bothOf([LEFT_TO_MATCHER, ...parts]), exact: false }
}
