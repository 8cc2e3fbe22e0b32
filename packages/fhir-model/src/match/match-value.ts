import { foldString } from '../extract/fold-string.ts'
import type {
  CompositeIndexValue,
  DateIndexValue,
  IndexValue,
  NumberIndexValue,
  QuantityIndexValue,
  ReferenceIndexValue,
  TokenIndexValue,
} from '../extract/index-value.ts'
import type { Modifier, SearchValue } from '../query.ts'
import { isCaseSensitiveToken, sameCode } from './code-case.ts'

/** Whether one value that a resource holds fits one value of a clause. */
export type ValueTest = (value: IndexValue) => boolean

type Of<K extends SearchValue['kind']> = Extract<SearchValue, { kind: K }>

/**
 * Compiles one alternative of a clause, without its `:not` and `:missing`. What does not fit
 * together (a token test on a date) is false.
 *
 * @param baseUrl Our own base URL, so that canonicals below it can be compared.
 * @see https://hl7.org/fhir/R4/search.html#ptypes
 */
export function compileValue(
  search: SearchValue,
  modifier: Modifier | undefined,
  baseUrl: string | undefined,
): ValueTest {
  switch (search.kind) {
    case 'token':
      return (value) => value.kind === 'token' && fitsToken(value, search)
    case 'of-type':
      return (value) => value.kind === 'token' && fitsOfType(value, search)
    case 'identifier':
      return (value) => value.kind === 'reference' && fitsIdentifier(value, search)
    case 'string':
      return compileString(search, modifier)
    case 'uri':
      return compileUri(search, modifier)
    case 'reference': {
      const ownUrl =
        baseUrl !== undefined && search.type !== undefined && search.version === undefined
          ? `${baseUrl}/${search.type}/${search.id}`
          : undefined
      return (value) => value.kind === 'reference' && fitsReference(value, search, ownUrl)
    }
    case 'date':
      return (value) => value.kind === 'date' && fitsDate(value, search)
    case 'number':
      return (value) => value.kind === 'number' && fitsNumber(value, search)
    case 'quantity':
      return (value) =>
        value.kind === 'quantity' && fitsUnit(value, search) && fitsNumber(value, search)
    case 'composite':
      return compileComposite(search, baseUrl)
    case 'missing':
      return () => false
  }
}

function fitsToken(value: TokenIndexValue, search: Of<'token'>): boolean {
  const { system, code } = search
  if (code !== undefined && value.code !== code) {
    if (
      value.code === undefined ||
      isCaseSensitiveToken(value) ||
      value.code.toLowerCase() !== code.toLowerCase()
    ) {
      return false
    }
  }
  if (system === undefined) return true
  if (system === '') return value.system === undefined
  return value.system === system || value.impliedSystem === system
}

function fitsOfType(value: TokenIndexValue, search: Of<'of-type'>): boolean {
  return (
    value.code === search.value &&
    value.types !== undefined &&
    value.types.some(
      (type) =>
        type.system === search.system &&
        type.code !== undefined &&
        sameCode(type.system, type.code, search.code),
    )
  )
}

function fitsIdentifier(value: ReferenceIndexValue, search: Of<'identifier'>): boolean {
  const { identifier } = value
  if (identifier === undefined) return false
  if (search.value !== undefined && identifier.value !== search.value) return false
  if (search.system === undefined) return true
  return search.system === ''
    ? identifier.system === undefined
    : identifier.system === search.system
}

function compileString(search: Of<'string'>, modifier: Modifier | undefined): ValueTest {
  const { text } = search
  if (modifier === 'exact') return (value) => value.kind === 'string' && value.exact === text
  const folded = foldString(text)
  return modifier === 'contains'
    ? (value) => value.kind === 'string' && value.folded.includes(folded)
    : (value) => value.kind === 'string' && value.folded.startsWith(folded)
}

function compileUri(search: Of<'uri'>, modifier: Modifier | undefined): ValueTest {
  const { uri } = search
  if (modifier === 'below') return (value) => value.kind === 'uri' && value.uri.startsWith(uri)
  if (modifier === 'above') {
    const ancestors = new Set(uriAncestors(uri))
    return (value) => value.kind === 'uri' && ancestors.has(value.uri)
  }
  return (value) => value.kind === 'uri' && value.uri === uri
}

/**
 * The URLs that `:above` finds for `url`: itself and every shorter path, with and without its final
 * slash, down to the host. `http://a.org/b/c` → `http://a.org/b/c`, `http://a.org/b/`,
 * `http://a.org/b`, `http://a.org/`, `http://a.org`.
 */
export function uriAncestors(url: string): string[] {
  const found = [url]
  const authority = url.indexOf('://')
  const least = authority < 0 ? 0 : authority + 3
  for (let slash = url.lastIndexOf('/'); slash >= least; slash = url.lastIndexOf('/', slash - 1)) {
    if (slash + 1 < url.length) found.push(url.slice(0, slash + 1))
    if (slash > least) found.push(url.slice(0, slash))
    if (slash === 0) break
  }
  return found
}

function fitsReference(
  value: ReferenceIndexValue,
  search: Of<'reference'>,
  ownUrl: string | undefined,
): boolean {
  if (search.version !== undefined && value.version !== search.version) return false
  if (search.url !== undefined) return value.url === search.url
  if (value.id !== undefined) {
    return value.id === search.id && (search.type === undefined || value.type === search.type)
  }
  return ownUrl !== undefined && value.url === ownUrl
}

/**
 * R4 compares ranges: `eq` asks that the search's range contains the value's, `gt` that the value
 * reaches beyond the search's end, `sa` that it lies wholly beyond. The range of `ap` was widened
 * by the parser.
 *
 * @see https://hl7.org/fhir/R4/search.html#prefix
 */
function fitsDate(value: DateIndexValue, search: Of<'date'>): boolean {
  const { fromMs, toMs } = search
  const contained = value.fromMs >= fromMs && value.toMs <= toMs
  switch (search.prefix) {
    case 'eq':
      return contained
    case 'ne':
      return !contained
    case 'gt':
      return value.toMs > toMs
    case 'lt':
      return value.fromMs < fromMs
    case 'ge':
      return contained || value.toMs > toMs
    case 'le':
      return contained || value.fromMs < fromMs
    case 'sa':
      return value.fromMs >= toMs
    case 'eb':
      return value.toMs <= fromMs
    case 'ap':
      return value.fromMs < toMs && value.toMs > fromMs
  }
}

/**
 * `eq`, `ne` and `ap` go by the range of the written precision, the others by the number itself.
 * A stored comparator makes the value a range with an open end: `<5` reaches up to 5 and not to 5.
 */
function fitsNumber(
  stored: NumberIndexValue | QuantityIndexValue,
  search: Of<'number'> | Of<'quantity'>,
): boolean {
  const { value } = search
  const comparator = stored.kind === 'quantity' ? stored.comparator : undefined
  const reaches = stored.high > value || (stored.high === value && comparator !== '<')
  const startsBy = stored.low < value || (stored.low === value && comparator !== '>')
  switch (search.prefix) {
    case 'eq':
      return contains(search, stored)
    case 'ne':
      return !contains(search, stored)
    case 'gt':
      return stored.high > value
    case 'lt':
      return stored.low < value
    case 'ge':
      return reaches
    case 'le':
      return startsBy
    case 'sa':
      return !startsBy
    case 'eb':
      return !reaches
    case 'ap':
      return (
        stored.low < search.high &&
        (stored.high > search.low || (stored.high === search.low && comparator !== '<'))
      )
  }
}

/** An end left open by a comparator is infinite, so it is never contained. */
function contains(
  search: { readonly low: number; readonly high: number },
  stored: { readonly low: number; readonly high: number },
): boolean {
  return stored.low >= search.low && stored.high < search.high
}

/** A code without a system may be the coded unit or the one written for humans. */
function fitsUnit(value: QuantityIndexValue, search: Of<'quantity'>): boolean {
  const { system, code } = search
  if (system === undefined) {
    return code === undefined || value.code === code || value.unit === code
  }
  return value.system === system && (code === undefined || value.code === code)
}

/** All parts in one element: a code of one component never goes with the value of another. */
function compileComposite(search: Of<'composite'>, baseUrl: string | undefined): ValueTest {
  const tests = search.parts.map((part) => compileValue(part, undefined, baseUrl))
  const fits = (value: CompositeIndexValue): boolean =>
    value.parts.length === tests.length &&
    tests.every((test, i) => value.parts[i]!.some((part) => test(part)))
  return tests.length === 0 ? () => false : (value) => value.kind === 'composite' && fits(value)
}
