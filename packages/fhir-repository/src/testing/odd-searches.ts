import {
  escapeValue,
  type SearchParameter,
  type SearchParamType,
  searchParameters,
} from '@scopegate/fhir-model'
import fc from 'fast-check'
import { CODES, DATES, IDS, NUMBERS, ODD_TYPES, SYSTEMS, URLS, WORDS } from './odd-resources.ts'

const pick = <T>(values: readonly T[]) => fc.constantFrom(...values)
const escaped = (values: readonly string[]) =>
  pick(values.filter((value) => value !== '')).map(escapeValue)
const prefix = pick(['', '', '', 'eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb', 'ap'])
const join = (...parts: readonly fc.Arbitrary<string>[]) =>
  fc.tuple(...parts).map((texts) => texts.join(''))
const system = escaped(SYSTEMS)
const code = escaped([...CODES, 'final', 'female', 'true', 'p1'])
const bar = fc.constant('|')

const token = fc.oneof(code, join(system, bar, code), join(bar, code), join(system, bar))
const number = join(prefix, pick(NUMBERS).map(String))
const VALUES: Readonly<
  Record<Exclude<SearchParamType, 'composite' | 'special'>, fc.Arbitrary<string>>
> = {
  token,
  reference: fc.oneof(
    escaped(IDS),
    fc
      .tuple(pick(['Patient', 'Practitioner', 'Encounter']), pick(IDS))
      .map(([type, id]) => `${type}/${id}`),
    pick(IDS).map((id) => `https://fhir.example/r4/Patient/${id}`),
    pick(IDS).map((id) => `https://other.example/Patient/${id}`),
    escaped(URLS),
    escaped(URLS).map((url) => `${url}|1`),
  ),
  string: escaped([...WORDS, 'an', 'ANN', 'x'.repeat(235), 'neil', 'alund', 'i']),
  uri: escaped(URLS),
  date: join(prefix, pick(DATES)),
  number,
  quantity: fc.oneof(number, join(number, bar, system, bar, code), join(number, bar, bar, code)),
}
const MODIFIERS: Readonly<Partial<Record<SearchParamType, readonly string[]>>> = {
  token: ['', '', '', ':not', ':missing'],
  string: ['', '', ':exact', ':contains', ':missing'],
  uri: ['', '', ':below', ':above', ':missing'],
  reference: ['', '', '', ':identifier', ':missing'],
}

function textFor({
  type,
  components,
}: Pick<SearchParameter, 'type' | 'components'>): fc.Arbitrary<string> {
  if (type === 'composite') {
    const parts = components.map((component) => textFor({ type: component.type, components: [] }))
    return fc.tuple(...parts).map((texts) => texts.join('$'))
  }
  if (type === 'special') return fc.constant('0')
  return VALUES[type]
}

function searchBy(parameter: SearchParameter): fc.Arbitrary<string> {
  const { code: name, type } = parameter
  return pick(MODIFIERS[type] ?? ['', '', '', ':missing']).chain((modifier) => {
    const one =
      modifier === ':missing'
        ? pick(['true', 'false'])
        : modifier === ':identifier'
          ? token
          : textFor(parameter)
    const list =
      modifier === ':missing'
        ? one
        : fc.array(one, { minLength: 1, maxLength: 3 }).map((l) => l.join(','))
    return list.map((text) => `${name}${modifier}=${encodeURIComponent(text)}`)
  })
}

/** Searches by every parameter of the type; some are refused by the parser, and are skipped then. */
const plainSearch = (type: string): fc.Arbitrary<string> =>
  fc
    .constantFrom(...searchParameters(type).filter((parameter) => parameter.type !== 'special'))
    .chain(searchBy)

const JOINS: Readonly<Record<string, readonly (readonly [prefix: string, inner: string])[]>> = {
  Observation: [
    ['subject:Patient.', 'Patient'],
    ['encounter.', 'Encounter'],
    ['encounter.subject:Patient.', 'Patient'],
  ],
  Patient: [
    ['_has:Observation:subject:', 'Observation'],
    ['_has:Encounter:patient:_has:Observation:encounter:', 'Observation'],
    ['link.', 'Patient'],
  ],
  Encounter: [
    ['subject:Patient.', 'Patient'],
    ['part-of.', 'Encounter'],
    ['_has:Observation:encounter:', 'Observation'],
  ],
}

const joinedSearch = (type: string): fc.Arbitrary<string> => {
  const joins = JOINS[type]
  if (joins === undefined) return plainSearch(type)
  return fc
    .constantFrom(...joins)
    .chain(([start, inner]) => plainSearch(inner).map((text) => `${start}${text}`))
}

export const oddSearch: fc.Arbitrary<{ readonly type: string; readonly text: string }> = fc
  .constantFrom(...ODD_TYPES)
  .chain((type) =>
    fc
      .array(
        fc.oneof(
          { weight: 5, arbitrary: plainSearch(type) },
          { weight: 2, arbitrary: joinedSearch(type) },
        ),
        {
          minLength: 1,
          maxLength: 2,
        },
      )
      .map((parts) => ({ type, text: parts.join('&') })),
  )
