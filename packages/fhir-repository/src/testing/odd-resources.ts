import type { FhirResource } from '@scopegate/fhir-model'
import fc from 'fast-check'

/** Few values, so that searches meet; odd ones, so that they must be read exactly. */
export const SYSTEMS = [
  'http://loinc.org',
  'http://snomed.info/sct',
  'urn:a|b',
  'http://x.example/%_',
]
export const CODES = [
  'a',
  'A',
  'b-1',
  'Abc',
  'aBC',
  'x,y',
  'p|q',
  'd$e',
  'back\\slash',
  'é',
  '12345-6',
]
export const WORDS = [
  'Anna',
  'ANNÄ',
  'Ann',
  "O'Neil",
  '%',
  '_',
  'a\\b',
  'Zoë Ålund',
  'x'.repeat(230),
  'x'.repeat(240),
  '名前',
  '',
  'İstanbul',
  '😀 smile',
]
export const IDS = ['p1', 'p2', 'p3', 'P1', 'o-1', 'e.1', 'null']
export const URLS = [
  'http://a.example/q',
  'http://a.example/q/1',
  'http://a.example/q/1/2',
  'http://a.example/Q',
  'urn:oid:1.2.3',
  'http://a.example/',
]
export const DATES = [
  '2024',
  '2024-02',
  '2024-02-10',
  '2024-02-10T08:00:00Z',
  '2024-02-10T10:30:00.250+02:00',
  '2023-12-31T23:59:59-05:00',
  '0001-01-01',
  '9999-12-31',
  '2024-02-29',
]
export const NUMBERS = [0, 1, 5, 5.4, 5.40001, -3, 1e-7, 100, 99.5, 1e10]

const pick = <T>(values: readonly T[]) => fc.constantFrom(...values)
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 })
const some = <T>(value: fc.Arbitrary<T>, most = 3) =>
  maybe(fc.array(value, { minLength: 1, maxLength: most }))
const record = (shape: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(shape).map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>)

const coding = record({
  system: maybe(pick(SYSTEMS)),
  code: maybe(pick(CODES)),
  display: maybe(pick(WORDS)),
})
const concept = record({ coding: some(coding), text: maybe(pick(CODES)) })
const identifier = record({
  system: maybe(pick(SYSTEMS)),
  value: maybe(pick(CODES)),
  type: maybe(concept),
})
const reference = (types: readonly string[]) =>
  record({
    reference: maybe(
      fc.oneof(
        fc.tuple(pick(types), pick(IDS)).map(([type, id]) => `${type}/${id}`),
        fc
          .tuple(pick(types), pick(IDS))
          .map(([type, id]) => `https://fhir.example/r4/${type}/${id}`),
        fc.tuple(pick(types), pick(IDS)).map(([type, id]) => `https://other.example/${type}/${id}`),
        fc.tuple(pick(types), pick(IDS)).map(([type, id]) => `${type}/${id}/_history/2`),
        fc.constant('#inside'),
      ),
    ),
    identifier: maybe(identifier),
  })
const period = record({ start: maybe(pick(DATES)), end: maybe(pick(DATES)) })
const quantity = record({
  value: maybe(pick(NUMBERS)),
  comparator: maybe(pick(['<', '<=', '>=', '>'])),
  system: maybe(pick(SYSTEMS)),
  code: maybe(pick(CODES)),
  unit: maybe(pick(CODES)),
})
const meta = record({
  profile: some(pick(URLS)),
  tag: some(coding),
  security: some(coding),
  source: maybe(pick(URLS)),
})
const humanName = record({
  family: maybe(pick(WORDS)),
  given: some(pick(WORDS)),
  text: maybe(pick(WORDS)),
})
const SUBJECTS = ['Patient', 'Group', 'Device']

const value = fc.oneof(
  quantity.map((valueQuantity) => ({ valueQuantity })),
  concept.map((valueCodeableConcept) => ({ valueCodeableConcept })),
  pick(WORDS).map((valueString) => ({ valueString })),
  pick(DATES).map((valueDateTime) => ({ valueDateTime })),
  fc.constant({}),
)
const effective = fc.oneof(
  pick(DATES).map((effectiveDateTime) => ({ effectiveDateTime })),
  period.map((effectivePeriod) => ({ effectivePeriod })),
  fc.constant({}),
)
const component = fc.tuple(record({ code: concept }), value).map(([code, v]) => ({ ...code, ...v }))

const RESOURCES: Readonly<Record<string, fc.Arbitrary<object>>> = {
  Observation: fc
    .tuple(
      record({
        meta: maybe(meta),
        status: maybe(pick(['final', 'preliminary'])),
        category: some(concept),
        code: maybe(concept),
        subject: maybe(reference(SUBJECTS)),
        encounter: maybe(reference(['Encounter'])),
        performer: some(reference(['Patient', 'Practitioner'])),
        component: some(component),
        identifier: some(identifier),
      }),
      value,
      effective,
    )
    .map((parts) => Object.assign({}, ...parts) as object),
  Patient: record({
    meta: maybe(meta),
    active: maybe(fc.boolean()),
    name: some(humanName),
    gender: maybe(pick(['male', 'female', 'unknown'])),
    birthDate: maybe(pick(['2024', '2024-02', '2024-02-10'])),
    identifier: some(identifier),
    telecom: some(record({ system: maybe(pick(['email', 'phone'])), value: maybe(pick(CODES)) })),
    generalPractitioner: some(reference(['Practitioner'])),
    link: some(record({ other: reference(['Patient']) }), 1),
  }),
  Encounter: record({
    meta: maybe(meta),
    status: maybe(pick(['finished', 'planned'])),
    class: maybe(coding),
    period: maybe(period),
    subject: maybe(reference(['Patient'])),
    partOf: maybe(reference(['Encounter'])),
  }),
  RiskAssessment: record({
    subject: maybe(reference(['Patient'])),
    prediction: some(record({ probabilityDecimal: maybe(pick(NUMBERS)) })),
    occurrenceDateTime: maybe(pick(DATES)),
  }),
  Questionnaire: record({
    url: maybe(pick(URLS)),
    version: maybe(pick(CODES)),
    title: maybe(pick(WORDS)),
    date: maybe(pick(DATES)),
    effectivePeriod: maybe(period),
    derivedFrom: some(
      fc.tuple(pick(URLS), maybe(pick(['1', '2']))).map(([url, v]) => (v ? `${url}|${v}` : url)),
    ),
    useContext: some(record({ code: maybe(coding), valueQuantity: maybe(quantity) })),
  }),
}

export const ODD_TYPES = Object.keys(RESOURCES)

/** A resource of one of `ODD_TYPES`; its id is one of few, so that references meet. */
export const oddResource: fc.Arbitrary<FhirResource> = fc.oneof(
  ...ODD_TYPES.map((type) =>
    fc
      .tuple(pick(IDS), RESOURCES[type]!)
      .map(([id, rest]) => ({ resourceType: type, id, ...rest }) as FhirResource),
  ),
)
