import type { Extractor } from '../extract/extractor.ts'
import { EXTRACTORS } from '../generated/extractors.ts'
import {
  COMPONENTS,
  DEFINITIONS,
  ELEMENT_TYPES,
  TARGETS,
  USES,
} from '../generated/search-parameters.ts'
import type { SearchParamType } from '../query.ts'
import type { SearchParameter, SearchParameterComponent } from './search-parameter.ts'

const URL_BASE = 'http://hl7.org/fhir/SearchParameter/'

/** A parameter beside the code that evaluates it. */
export interface Evaluated {
  readonly parameter: SearchParameter
  readonly extractor: Extractor
}

/** `Type` → the text of its row; a Map, so that `constructor` is never found in it. */
const ROWS = new Map(
  USES.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1)] as const
  }),
)
const read = new Map<string, ReadonlyMap<string, Evaluated>>()
const NONE: ReadonlyMap<string, Evaluated> = new Map()

/** All parameters of a type by code, read from the generated tables on first use. */
export function evaluatedParameters(type: string): ReadonlyMap<string, Evaluated> {
  const known = read.get(type)
  if (known !== undefined) return known
  const row = ROWS.get(type)
  if (row === undefined) return NONE
  const byCode = new Map(row.split(',').map((cell) => readUse(type, cell)))
  read.set(type, byCode)
  return byCode
}

function readUse(base: string, cell: string): readonly [string, Evaluated] {
  const [definition, extractor, targets, elementTypes, components] = cell.split(' ').map(Number)
  const [code, type, tail] = DEFINITIONS[definition!]!.split(' ')
  const parameter: SearchParameter = {
    base,
    code: code!,
    type: type as SearchParamType,
    url: URL_BASE + tail,
    targets: namesOf(TARGETS[targets!]!),
    components: componentsOf(COMPONENTS[components!]!),
    elementTypes: namesOf(ELEMENT_TYPES[elementTypes!]!),
  }
  return [code!, { parameter, extractor: EXTRACTORS[extractor!]! }]
}

function namesOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(',')
}

function componentsOf(text: string): readonly SearchParameterComponent[] {
  if (text === '') return []
  const rows = JSON.parse(text) as [string, SearchParamType, string, string][]
  return rows.map(([code, type, targets, elementTypes]) => ({
    code,
    type,
    targets: namesOf(targets),
    elementTypes: namesOf(elementTypes),
  }))
}
