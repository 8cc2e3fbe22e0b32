import {
  type CompositeIndexValue,
  compartmentsOf,
  extractAll,
  type FhirResource,
  guardedPatients,
  type IndexValue,
  isCaseSensitiveToken,
  isSortable,
  parseReference,
  primaryPatients,
  type QuantityIndexValue,
  type ReferenceIndexValue,
  type SearchParameter,
  type TokenIndexValue,
} from '@scopegate/fhir-model'
import { attachmentsOf } from './attachments.ts'
import { compartmentKey, type Key, keyOf, presenceKey, refersToKey, typeKey } from './keys.ts'
import type { ParamNumbers } from './param-numbers.ts'
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
} from './text-keys.ts'

/** Everything a resource is found by. Made from the resource alone, in one pass. */
export interface IndexRows {
  readonly keys: readonly Key[]
  /** `param=Type/id` for every literal reference that a search parameter looks at. */
  readonly refs: readonly string[]
  readonly dates: readonly DateRow[]
  readonly strings: readonly StringRow[]
  readonly numbers: readonly NumberRow[]
}
export type DateRow = readonly [param: number, lo: number, hi: number]
export type StringRow = readonly [param: number, v: string, x: string]
export type NumberRow = readonly [
  param: number,
  k: Key,
  lo: number,
  hi: number,
  unit: Key,
  code: Key,
  unitName: Key,
]

/** Stand-ins for open ends of a period: beyond every instant that FHIR can write. */
export const EARLIEST_MS = -9_000_000_000_000_000
export const LATEST_MS = 9_000_000_000_000_000

/** Parameters that have columns of their own. */
const COLUMNS: ReadonlySet<string> = new Set(['_id', '_lastUpdated'])

/** @param base Our own base URL, without a final slash: absolute references below it are local. */
export function indexRows(resource: FhirResource, params: ParamNumbers, base?: string): IndexRows {
  const type = resource.resourceType
  const rows = new RowCollector(type, params)
  rows.keys.add(typeKey(type))
  const options = base === undefined ? {} : { base }
  for (const [parameter, values] of extractAll(type, resource, options)) {
    if (COLUMNS.has(parameter.code)) continue
    rows.keys.add(presenceKey(type, parameter.code))
    for (const value of values) rows.add(parameter, value)
  }
  rows.addBinaries(resource, base)
  for (const id of compartmentsOf(resource, options)) rows.keys.add(compartmentKey('comp', id))
  for (const id of guardedPatients(resource, options)) rows.keys.add(compartmentKey('guard', id))
  for (const id of primaryPatients(resource, options)) rows.keys.add(compartmentKey('prim', id))
  return {
    keys: [...rows.keys],
    refs: [...rows.refs],
    dates: rows.dates,
    strings: rows.strings,
    numbers: rows.numbers,
  }
}

class RowCollector {
  readonly keys = new Set<Key>()
  readonly refs = new Set<string>()
  readonly dates: DateRow[] = []
  readonly strings: StringRow[] = []
  readonly numbers: NumberRow[] = []
  readonly #type: string
  readonly #params: ParamNumbers

  constructor(type: string, params: ParamNumbers) {
    this.#type = type
    this.#params = params
  }

  add(parameter: SearchParameter, value: IndexValue): void {
    const { code } = parameter
    const field = fieldOf(this.#type, code)
    switch (value.kind) {
      case 'token':
        this.#token(field, value)
        if (value.code !== undefined && isSortable(parameter)) {
          this.strings.push([this.#param(code), storable(value.code), storable(value.code)])
        }
        break
      case 'reference':
        this.#reference(code, value)
        break
      case 'uri':
        this.keys.add(uriKey(field, value.uri))
        this.strings.push([this.#param(code), storable(value.uri), storable(value.uri)])
        break
      case 'string':
        this.strings.push([this.#param(code), storable(value.folded), storable(value.exact)])
        break
      case 'date':
        this.dates.push([
          this.#param(code),
          Math.max(value.fromMs, EARLIEST_MS),
          Math.min(value.toMs, LATEST_MS),
        ])
        break
      case 'number':
        this.numbers.push([this.#param(code), '0', value.low, value.high, '0', '0', '0'])
        break
      case 'quantity':
        this.#quantity(code, '0', value)
        break
      case 'composite':
        this.#composite(code, value)
        break
    }
  }

  /** What no search parameter looks at, and the visibility of a Binary hangs on. */
  addBinaries(resource: FhirResource, base: string | undefined): void {
    for (const id of attachmentsOf(resource, base)) this.keys.add(refersToKey('Binary', id))
    if (resource.resourceType !== 'Binary') return
    const text = (resource.securityContext as { reference?: unknown } | undefined)?.reference
    const context = typeof text === 'string' ? parseReference(text, base) : undefined
    if (context?.type !== undefined && context.id !== undefined) {
      this.keys.add(refersToKey(context.type, context.id))
      this.refs.add(`securityContext=${context.type}/${context.id}`)
    }
  }

  /**
   * A token with a quantity or another token, the commonest composites, are found as they are tied;
   * all others through the parameters of their parts, and the matcher sees whether they belong together.
   */
  #composite(code: string, { parts }: CompositeIndexValue): void {
    const [first, second] = parts
    if (parts.length !== 2) return
    for (const token of first!) {
      if (token.kind !== 'token') continue
      for (const tie of fullKeysOfToken(tieField(this.#type, code, 0), token)) {
        for (const value of second!) {
          if (value.kind === 'quantity') this.#quantity(code, tie, value)
          if (value.kind !== 'token') continue
          for (const key of fullKeysOfToken(tieField(this.#type, code, 1), value)) {
            this.keys.add(tiedKey(tie, key))
          }
        }
      }
    }
  }

  #quantity(code: string, tie: Key, value: QuantityIndexValue): void {
    this.numbers.push([
      this.#param(code),
      tie,
      value.comparator === '>' ? justAbove(value.low) : value.low,
      value.comparator === '<' ? justBelow(value.high) : value.high,
      unitKey(value.system ?? '', value.code ?? ''),
      codeKey(value.code ?? ''),
      codeKey(value.unit ?? ''),
    ])
  }

  #param(code: string): number {
    return this.#params.numberOf(this.#type, code)
  }

  #token(field: string, token: TokenIndexValue): void {
    for (const key of keysOfToken(field, token)) this.keys.add(key)
  }

  #reference(code: string, reference: ReferenceIndexValue): void {
    const field = fieldOf(this.#type, code)
    const { type, id, url, version, identifier } = reference
    if (type !== undefined && id !== undefined) {
      this.keys.add(referenceKey(field, `${type}/${id}`))
      this.keys.add(referenceKey(field, `*/${id}`))
      this.keys.add(refersToKey(type, id))
      this.refs.add(`${code}=${type}/${id}`)
    } else if (url !== undefined) {
      this.keys.add(referenceKey(field, url))
      if (version !== undefined) this.keys.add(canonicalKey(field, url, version))
    }
    if (identifier !== undefined) {
      const { system, value } = identifier
      const asToken = {
        kind: 'token' as const,
        ...(system === undefined ? {} : { system }),
        ...(value === undefined ? {} : { code: value }),
      }
      this.#token(identifierField(this.#type, code), asToken)
    }
  }
}

function* keysOfToken(field: string, token: TokenIndexValue): Iterable<Key> {
  const { system, impliedSystem, code, types } = token
  const systems = impliedSystem === undefined ? [system ?? ''] : ['', impliedSystem]
  for (const name of systems) {
    yield tokenKeys.system(field, name)
    if (code !== undefined) yield tokenKeys.both(field, name, code)
  }
  if (code === undefined) return
  yield tokenKeys.code(field, code)
  if (hasCases(code) && !isCaseSensitiveToken(token)) {
    yield tokenKeys.foldedCode(field, code)
    if (system === undefined) yield tokenKeys.foldedBare(field, code)
  }
  for (const type of types ?? []) {
    yield ofTypeKey(field, type.system ?? '', type.code ?? '', code)
  }
}

/** By system and code together, the system `''` where there is none. */
function* fullKeysOfToken(field: string, token: TokenIndexValue): Iterable<Key> {
  const { system, impliedSystem, code } = token
  if (code === undefined) return
  yield tokenKeys.both(field, system ?? '', code)
  if (impliedSystem !== undefined) yield tokenKeys.both(field, impliedSystem, code)
}

export const unitKey = (system: string, code: string): Key => keyOf('unit', system, code)
export const codeKey = (code: string): Key => keyOf('unit-code', code)

const float = new Float64Array(1)
const bits = new BigInt64Array(float.buffer)

/** The next double: what `>5` starts with, since the index knows inclusive bounds only. */
function justAbove(value: number): number {
  if (!Number.isFinite(value)) return value
  if (value === 0) return Number.MIN_VALUE
  float[0] = value
  bits[0] = bits[0]! + (value > 0 ? 1n : -1n)
  return float[0]!
}

const justBelow = (value: number): number => -justAbove(-value)
