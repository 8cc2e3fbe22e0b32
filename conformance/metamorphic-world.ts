import {
  type Access,
  allowedFor,
  anyOf,
  compilePredicate,
  type FhirResource,
  type Letter,
  type ResourceKey,
  type VisibilityLookup,
} from '@scopegate/fhir-model'
import fc from 'fast-check'
import { type FixtureStep, LN, OC } from './fixture.ts'

/** Small random data, and who may see what of it: read off the rules, without a database. */
export interface World {
  readonly steps: readonly FixtureStep[]
}

const PATIENTS = ['P1', 'P2']
const CATEGORIES = ['laboratory', 'vital-signs', 'social-history']
const CODES = ['2345-7', '8867-4']
const ref = (reference: string) => ({ reference })
const index = (count: number) => fc.nat({ max: count - 1 })

const OBSERVATIONS = 9
const ENCOUNTERS = 3
export const observationWords = fc.record({
  patient: fc.constantFrom(...PATIENTS),
  categories: fc.subarray(CATEGORIES, { minLength: 0, maxLength: 2 }),
  code: fc.constantFrom(...CODES),
  status: fc.constantFrom('final', 'preliminary'),
  month: fc.integer({ min: 1, max: 4 }),
  encounter: fc.option(index(ENCOUNTERS), { nil: undefined }),
  performer: fc.constantFrom(undefined, 'Patient/P1', 'Patient/P2', 'Practitioner/D1'),
})
export type ObservationWords = typeof observationWords extends fc.Arbitrary<infer T> ? T : never

export function observationOf(
  id: string,
  words: ObservationWords,
): FhirResource & { readonly id: string } {
  const { patient, categories, code, status, month, encounter, performer } = words
  return {
    resourceType: 'Observation',
    id,
    status,
    ...(categories.length === 0
      ? {}
      : { category: categories.map((each) => ({ coding: [{ system: OC, code: each }] })) }),
    code: { coding: [{ system: LN, code }] },
    subject: ref(`Patient/${patient}`),
    ...(encounter === undefined ? {} : { encounter: ref(`Encounter/E${encounter}`) }),
    effectiveDateTime: `2024-0${month}-01`,
    ...(performer === undefined ? {} : { performer: [ref(performer)] }),
  }
}

const put = (resource: FhirResource & { readonly id: string }): FixtureStep => ({
  kind: 'put',
  resource,
})

/** Two patients, and up to two dozen resources about them: moved, reclassified and deleted ones too. */
export const world: fc.Arbitrary<World> = fc
  .record({
    encounters: fc.array(fc.constantFrom(...PATIENTS), {
      minLength: ENCOUNTERS,
      maxLength: ENCOUNTERS,
    }),
    observations: fc.array(observationWords, { minLength: OBSERVATIONS, maxLength: OBSERVATIONS }),
    again: fc.array(fc.tuple(index(OBSERVATIONS), observationWords), { maxLength: 3 }),
    deleted: fc.uniqueArray(index(OBSERVATIONS), { maxLength: 2 }),
    provenances: fc.array(fc.uniqueArray(index(OBSERVATIONS), { minLength: 1, maxLength: 2 }), {
      maxLength: 3,
    }),
    documents: fc.array(fc.constantFrom(...PATIENTS), { maxLength: 2 }),
  })
  .map(({ encounters, observations, again, deleted, provenances, documents }) => ({
    steps: [
      put({ resourceType: 'Practitioner', id: 'D1', name: [{ family: 'Weber' }] }),
      put({ resourceType: 'Patient', id: 'P1', name: [{ given: ['Ana'] }], gender: 'female' }),
      put({ resourceType: 'Patient', id: 'P2', name: [{ given: ['Ben'] }], gender: 'male' }),
      ...encounters.map((patient, id) =>
        put({
          resourceType: 'Encounter',
          id: `E${id}`,
          status: 'finished',
          class: { code: 'AMB' },
          subject: ref(`Patient/${patient}`),
        }),
      ),
      ...observations.map((words, id) => put(observationOf(`O${id}`, words))),
      ...again.map(([id, words]) => put(observationOf(`O${id}`, words))),
      ...deleted.map((id): FixtureStep => ({ kind: 'delete', type: 'Observation', id: `O${id}` })),
      ...provenances.map((targets, id) =>
        put({
          resourceType: 'Provenance',
          id: `V${id}`,
          recorded: '2024-01-01T00:00:00Z',
          agent: [{ who: ref('Practitioner/D1') }],
          target: targets.map((target) => ref(`Observation/O${target}`)),
        }),
      ),
      ...documents.flatMap((patient, id) => [
        put({ resourceType: 'Binary', id: `B${id}`, contentType: 'text/plain', data: 'YQ==' }),
        put({
          resourceType: 'DocumentReference',
          id: `T${id}`,
          status: 'current',
          subject: ref(`Patient/${patient}`),
          content: [{ attachment: { url: `Binary/B${id}` } }],
        }),
      ]),
    ],
  }))

export const keyOf = (step: FixtureStep): string =>
  step.kind === 'put'
    ? `${step.resource.resourceType}/${step.resource.id}`
    : `${step.type}/${step.id}`

/** What the rules say of a world under one Access. */
export interface Model {
  /** Whether the letter permits the current content; `visible` is `r` or `s`. */
  permits(letter: Letter | 'visible', key: string): Promise<boolean>
  /** Instances that are nowhere to be seen: by their current content, or the last one they had. */
  hidden(): Promise<ReadonlySet<string>>
}

export function modelOf({ steps }: World, access: Access, base: string): Model {
  const last = new Map<string, FhirResource>()
  const current = new Map<string, FhirResource>()
  for (const step of steps) {
    if (step.kind === 'put') {
      last.set(keyOf(step), step.resource)
      current.set(keyOf(step), step.resource)
    } else current.delete(keyOf(step))
  }

  async function judge(letter: Letter | 'visible', resource: FhirResource): Promise<boolean> {
    const type = resource.resourceType
    const predicate =
      letter === 'visible'
        ? anyOf(allowedFor(access, 'r', type), allowedFor(access, 's', type))
        : allowedFor(access, letter, type)
    return compilePredicate(type, predicate, { base }).permits(resource, lookup)
  }

  const textOf = ({ type, id }: ResourceKey) => `${type}/${id}`
  const isVisible = async (key: ResourceKey) => {
    const resource = current.get(textOf(key))
    return resource !== undefined && judge('visible', resource)
  }
  const anyVisible = async (fits: (resource: FhirResource) => boolean) => {
    for (const resource of current.values())
      if (fits(resource) && (await judge('visible', resource))) return true
    return false
  }
  const lookup: VisibilityLookup = {
    isVisible,
    hasVisibleAttachment: (key) =>
      anyVisible(
        (resource) =>
          resource.resourceType === 'DocumentReference' &&
          JSON.stringify(resource.content).includes(`"${textOf(key)}"`),
      ),
    hasVisibleReferrer: (key) =>
      anyVisible((resource) => JSON.stringify(resource).includes(`"${textOf(key)}"`)),
    wouldBeVisible: async (resource) => judge('visible', resource),
  }

  return {
    async permits(letter, key) {
      const resource = current.get(key)
      return resource !== undefined && judge(letter, resource)
    },
    async hidden() {
      const found = new Set<string>()
      for (const [key, resource] of last) if (!(await judge('visible', resource))) found.add(key)
      return found
    },
  }
}

/** Types whose visibility hangs on no other resource. */
export const PLAIN_TYPES = ['Observation', 'Patient', 'Encounter', 'DocumentReference'] as const
const TYPES = [...PLAIN_TYPES, 'Provenance', 'Binary', 'Practitioner', '*'] as const

const CONSTRAINTS: Readonly<Record<string, readonly string[]>> = {
  Observation: [
    `category=${OC}|laboratory`,
    `category=${OC}|vital-signs,${OC}|social-history`,
    `category=laboratory&code=${LN}|2345-7`,
    'status=final',
    'performer=Practitioner/D1',
    'date=lt2024-03-01',
    '_id=O1,O2,O3',
    'subject=Patient/P2',
  ],
  Patient: ['gender=female'],
  Encounter: ['_id=E0,E1', 'status=finished'],
  '*': ['status=final', 'patient=Patient/P1', '_id=O0,O1,E0,P1,V0,B0,T0'],
}

/** One grant for reading; now and then of one letter only. */
export const grant: fc.Arbitrary<string> = fc
  .record({
    context: fc.constantFrom('patient', 'system'),
    type: fc.oneof(
      { weight: 3, arbitrary: fc.constant('Observation') },
      { weight: 4, arbitrary: fc.constantFrom(...TYPES) },
    ),
    letters: fc.oneof(
      { weight: 4, arbitrary: fc.constant('rs') },
      { weight: 1, arbitrary: fc.constantFrom('r', 's') },
    ),
  })
  .chain(({ context, type, letters }) => {
    const constraints = CONSTRAINTS[type] ?? []
    return fc
      .constantFrom('', ...constraints, ...constraints)
      .map((text) => `${context}/${type}.${letters}${text === '' ? '' : `?${text}`}`)
  })

export const grants = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.uniqueArray(grant, { minLength, maxLength }).map((list) => list.join(' '))

const FILTERS: Readonly<Record<string, readonly string[]>> = {
  Observation: [
    `category=${OC}|laboratory`,
    'category=vital-signs,social-history',
    `category:not=${OC}|laboratory`,
    'category:missing=true',
    `code=${LN}|8867-4`,
    'code:not=2345-7',
    'status=final',
    'date=ge2024-02-01',
    'date=ne2024-02-01',
    'patient=P2',
    'performer=Practitioner/D1,Patient/P1',
    'encounter=E1',
    'encounter:missing=false',
    '_id=O0,O3,O5,O7',
    '_lastUpdated=gt2020-01-01',
  ],
  Patient: ['name=an', 'gender:not=female', '_id=P1,P2', 'name:missing=false'],
  Encounter: ['status=finished', 'subject=Patient/P1', 'class=AMB'],
  DocumentReference: ['subject=Patient/P2', 'status:not=superseded'],
  Provenance: ['target=Observation/O1,Observation/O2', 'agent=Practitioner/D1'],
}

const JOINS: Readonly<Record<string, readonly string[]>> = {
  Observation: [
    'subject:Patient.name=Ben',
    'patient.gender:not=female',
    'encounter.status=finished',
    'encounter.subject:Patient.name=Ana',
    '_has:Provenance:target:agent=Practitioner/D1',
    '_include=Observation:encounter',
    '_include=*',
    '_include=Observation:subject&_include:iterate=Encounter:subject',
    '_revinclude=Provenance:target',
    '_revinclude=*',
  ],
  Patient: [
    `_has:Observation:patient:code=${LN}|8867-4`,
    `_has:Observation:patient:category:not=${OC}|laboratory`,
    '_has:Encounter:subject:_id=E0',
    '_has:Observation:patient:_has:Provenance:target:agent=Practitioner/D1',
    '_revinclude=Observation:subject&_revinclude:iterate=Provenance:target',
    '_revinclude:iterate=*',
  ],
  Encounter: ['_has:Observation:encounter:status=final', 'subject:Patient.gender=male'],
  Provenance: ['target:Observation.status=final', '_include=Provenance:target'],
}

const SORTS: Readonly<Record<string, readonly string[]>> = {
  Observation: ['date', '-date', 'status,-date', '-_id'],
  Patient: ['name', '-gender,_id'],
}

const filtersOf = (type: string) =>
  fc
    .uniqueArray(fc.constantFrom(...(FILTERS[type] ?? ['_id=B0'])), { maxLength: 2 })
    .map((list) => [...list])

const searched = fc.oneof(
  { weight: 3, arbitrary: fc.constant('Observation') },
  {
    weight: 2,
    arbitrary: fc.constantFrom('Patient', 'Encounter', 'Provenance', 'DocumentReference'),
  },
)

export interface SearchText {
  readonly type: string
  readonly query: string
}

/** A search by parameters of the type itself. */
export const plainSearch: fc.Arbitrary<SearchText> = searched.chain((type) =>
  fc
    .tuple(filtersOf(type), fc.constantFrom(undefined, ...(SORTS[type] ?? [])))
    .map(([filters, sort]) => ({
      type,
      query: [...filters, ...(sort === undefined ? [] : [`_sort=${sort}`])].join('&'),
    })),
)

/** A search that may look into other types. */
export const joinedSearch: fc.Arbitrary<SearchText> = searched.chain((type) =>
  fc.tuple(filtersOf(type), fc.constantFrom('', ...(JOINS[type] ?? []))).map(([filters, join]) => ({
    type,
    query: [...filters.slice(1), ...(join === '' ? [] : [join])].join('&'),
  })),
)
