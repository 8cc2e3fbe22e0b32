import type { SearchParameter } from '../definitions/search-parameter.ts'
import { searchParameter } from '../definitions/search-parameters.ts'
import type { Include, SearchParamType, SearchQuery, SortKey } from '../query.ts'
import { type Fault, invalid, quoted } from './search-problem.ts'

/** What a search asks of its answer, as far as it was stated. */
export interface ResultParameters {
  sort?: readonly SortKey[]
  count?: number
  total?: SearchQuery['total']
  summary?: SearchQuery['summary']
  elements?: readonly string[]
  /** The representation, which the caller chooses; kept for the self link. */
  format?: string
  pretty?: string
  fhirVersion?: string
  readonly includes: Include[]
  readonly revincludes: Include[]
}

type Reader = (type: string, value: string, result: ResultParameters) => Fault | undefined

const READERS: Readonly<
  Record<string, { readonly field: keyof ResultParameters; readonly read: Reader }>
> = {
  _sort: { field: 'sort', read: readSort },
  _count: { field: 'count', read: readCount },
  _total: { field: 'total', read: oneOf('total', ['none', 'estimate', 'accurate']) },
  _summary: {
    field: 'summary',
    read: oneOf('summary', ['false', 'true', 'text', 'data', 'count']),
  },
  _elements: { field: 'elements', read: readElements },
  _format: { field: 'format', read: keep('format') },
  _pretty: { field: 'pretty', read: keep('pretty') },
  fhirVersion: { field: 'fhirVersion', read: keep('fhirVersion') },
}

/** Parameters that shape the answer and never filter. */
export const RESULT_PARAMETERS: ReadonlySet<string> = new Set(Object.keys(READERS))

/**
 * Whether a search can be sorted by a parameter. A token has an order only where it is a plain code,
 * boolean or id; references and composites have none.
 */
export function isSortable({ type, elementTypes }: SearchParameter): boolean {
  if (type !== 'token') return ORDERED.has(type)
  return elementTypes.every((element) => PLAIN.has(element))
}
const ORDERED: ReadonlySet<SearchParamType> = new Set<SearchParamType>([
  ...(['date', 'string', 'number', 'quantity', 'uri'] as const),
])
const PLAIN: ReadonlySet<string> = new Set(['code', 'boolean', 'id'])

const MAX_SORT_KEYS = 8
const MAX_ELEMENTS = 200

/** Reads one result parameter into `result`; each may be given once. */
export function parseResultParameter(
  type: string,
  name: string,
  value: string,
  result: ResultParameters,
): Fault | undefined {
  const reader = READERS[name]!
  if (result[reader.field] !== undefined) {
    return invalid(`\`${name}\` is given more than once`, 'give it once')
  }
  return reader.read(type, value, result)
}

function readSort(type: string, value: string, result: ResultParameters): Fault | undefined {
  const keys: SortKey[] = []
  for (const text of value.split(',')) {
    if (text === '') continue
    const descending = text.startsWith('-')
    const param = descending ? text.slice(1) : text
    const parameter = searchParameter(type, param)
    if (parameter === undefined) {
      return invalid(
        `${type} has no search parameter ${quoted(param)} to sort by`,
        'sort by `_lastUpdated`, `_id` or a parameter of the type; `-` in front sorts descending',
      )
    }
    if (!isSortable(parameter)) {
      return invalid(
        `\`${param}\` is a ${parameter.type} parameter that has no order`,
        'sort by a date, string, number, quantity or uri, a plain code, `_id` or `_lastUpdated`',
      )
    }
    if (!keys.some((key) => key.param === param)) {
      keys.push({ param, type: parameter.type, descending })
    }
  }
  if (keys.length > MAX_SORT_KEYS) {
    return invalid(`there are more than ${MAX_SORT_KEYS} sort keys`, 'sort by fewer')
  }
  result.sort = keys
  return undefined
}

function readCount(_type: string, value: string, result: ResultParameters): Fault | undefined {
  if (!/^\d{1,9}$/.test(value)) {
    return invalid(
      `${quoted(value)} is not a page size`,
      'write a whole number; 0 asks for the total only',
    )
  }
  result.count = Number(value)
  return undefined
}

function readElements(_type: string, value: string, result: ResultParameters): Fault | undefined {
  const names = [...new Set(value.split(',').filter((name) => name !== ''))]
  const wrong = names.find((name) => !/^[A-Za-z][A-Za-z0-9]{0,63}(\[x\])?$/.test(name))
  if (wrong !== undefined) {
    return invalid(
      `${quoted(wrong)} is not a top-level element`,
      'write element names, as in `status,code`',
    )
  }
  if (names.length > MAX_ELEMENTS) {
    return invalid(`there are more than ${MAX_ELEMENTS} elements`, 'name fewer, or leave it out')
  }
  result.elements = names
  return undefined
}

function oneOf<F extends 'total' | 'summary'>(
  field: F,
  words: readonly NonNullable<ResultParameters[F]>[],
): Reader {
  return (_type, value, result) => {
    const word = words.find((known) => known === value)
    if (word === undefined) {
      return invalid(`${quoted(value)} is not one of its values`, `write ${words.join(', ')}`)
    }
    result[field] = word
    return undefined
  }
}

function keep(field: 'format' | 'pretty' | 'fhirVersion'): Reader {
  return (_type, value, result) => {
    result[field] = value
    return undefined
  }
}
