import type { FhirResource } from '@scopegate/fhir-model'

/** One write, in order: versions come from repeating it. */
export type FixtureStep =
  | { readonly kind: 'put'; readonly resource: FhirResource & { readonly id: string } }
  | { readonly kind: 'delete'; readonly type: string; readonly id: string }

export const OC = 'http://terminology.hl7.org/CodeSystem/observation-category'
export const LN = 'http://loinc.org'
export const CC = 'http://terminology.hl7.org/CodeSystem/condition-category'
const US_CC = 'http://hl7.org/fhir/us/core/CodeSystem/condition-category'

/** An Observation in the few words in which the matrix speaks of one. */
export interface ObservationWords {
  readonly id?: string
  readonly patient?: string
  readonly categories?: readonly string[]
  /** A category in words only, without a code. */
  readonly categoryText?: string
  readonly code?: string
  readonly status?: string
  readonly encounter?: string
  readonly performer?: string
  readonly identifiers?: readonly string[]
  readonly date?: string
}

export function observation(words: ObservationWords): FhirResource {
  const { categories = [], categoryText, code = '2345-7', identifiers = [] } = words
  const category = [
    ...categories.map((each) => ({ coding: [{ system: OC, code: each }] })),
    ...(categoryText === undefined ? [] : [{ text: categoryText }]),
  ]
  return {
    resourceType: 'Observation',
    ...(words.id === undefined ? {} : { id: words.id }),
    ...(identifiers.length === 0
      ? {}
      : { identifier: identifiers.map((value) => ({ system: 'http://example.org/ids', value })) }),
    status: words.status ?? 'final',
    ...(category.length === 0 ? {} : { category }),
    code: { coding: [{ system: LN, code }] },
    ...(words.patient === undefined ? {} : { subject: reference(`Patient/${words.patient}`) }),
    ...(words.encounter === undefined ? {} : { encounter: reference(words.encounter) }),
    effectiveDateTime: words.date ?? '2024-01-01',
    ...(words.performer === undefined ? {} : { performer: [reference(words.performer)] }),
  }
}

const LAB = ['laboratory']
const VS = ['vital-signs']
const SH = ['social-history']

/** The fixture of enforcement.md 5.14. */
export const FIXTURE: readonly FixtureStep[] = [
  { resourceType: 'Organization', id: 'ORG1', name: 'Clinic' },
  practitioner('PR1', 'Weber'),
  practitioner('PR2', 'Klein'),
  {
    resourceType: 'Patient',
    id: 'P1',
    name: [{ given: ['Ana'] }],
    generalPractitioner: [reference('Practitioner/PR1')],
  },
  { resourceType: 'Patient', id: 'P2', name: [{ given: ['Ben'] }] },
  encounter('E1', 'P1'),
  encounter('E2', 'P2'),
  encounter('E3', 'P1'),
  observation({
    id: 'O1',
    patient: 'P1',
    categories: LAB,
    encounter: 'Encounter/E1',
    performer: 'Practitioner/PR1',
    identifiers: ['abc'],
    date: '2024-01-05',
  }),
  observation({
    id: 'O2',
    patient: 'P1',
    categories: VS,
    code: '8867-4',
    encounter: 'Encounter/E3',
    date: '2024-01-09',
  }),
  observation({
    id: 'O3',
    patient: 'P1',
    categories: [...LAB, ...VS],
    code: '59408-5',
    date: '2024-01-02',
  }),
  observation({
    id: 'O4',
    patient: 'P1',
    categories: SH,
    code: '72166-2',
    performer: 'Practitioner/PR2',
    date: '2024-01-07',
  }),
  observation({
    id: 'O5',
    patient: 'P2',
    categories: LAB,
    identifiers: ['abc', 'hid'],
    date: '2024-01-03',
  }),
  observation({ id: 'O6', patient: 'P1', date: '2024-01-04' }),
  observation({
    id: 'O7',
    patient: 'P2',
    categories: LAB,
    performer: 'Patient/P1',
    date: '2024-01-06',
  }),
  observation({
    id: 'O8',
    patient: 'P1',
    categories: LAB,
    code: '2951-2',
    status: 'preliminary',
    date: '2024-01-08',
  }),
  observation({ id: 'O9', patient: 'P1', categories: LAB, date: '2024-01-10' }),
  { kind: 'delete', type: 'Observation', id: 'O9' } as const,
  observation({ id: 'O10', patient: 'P2', categories: LAB, code: '718-7', date: '2024-01-11' }),
  observation({ id: 'O10', patient: 'P1', categories: LAB, code: '718-7', date: '2024-01-11' }),
  observation({ id: 'O11', patient: 'P1', categories: LAB, code: '74013-4', date: '2024-01-12' }),
  observation({ id: 'O11', patient: 'P1', categories: SH, code: '74013-4', date: '2024-01-12' }),
  observation({ id: 'O12', patient: 'P1', categoryText: 'Laboratory', date: '2024-01-13' }),
  condition('C1', 'P1', [[CC, 'problem-list-item']]),
  condition('C2', 'P1', [[CC, 'encounter-diagnosis']]),
  condition('C3', 'P2', [[CC, 'problem-list-item']]),
  condition('C4', 'P1', [
    [US_CC, 'health-concern'],
    [CC, 'problem-list-item'],
  ]),
  allergy('A1', 'P1'),
  { ...allergy('A2', 'P2'), recorder: reference('Patient/P1') },
  {
    resourceType: 'DiagnosticReport',
    id: 'D1',
    status: 'final',
    code: { coding: [{ system: LN, code: '58410-2' }] },
    subject: reference('Patient/P1'),
    result: [reference('Observation/O1'), reference('Observation/O2')],
  },
  provenance('V1', 'Observation/O1'),
  provenance('V2', 'Observation/O2'),
  provenance('V3', 'Observation/O5'),
  binary('B1'),
  binary('B2'),
  documentReference('DR1', 'P1', 'Binary/B1'),
  documentReference('DR2', 'P2', 'Binary/B2'),
  {
    resourceType: 'List',
    id: 'L1',
    status: 'current',
    mode: 'working',
    subject: reference('Patient/P1'),
    entry: ['O1', 'O2', 'O5'].map((id) => ({ item: reference(`Observation/${id}`) })),
  },
  {
    resourceType: 'Group',
    id: 'G1',
    type: 'person',
    actual: true,
    member: ['P1', 'P2'].map((id) => ({ entity: reference(`Patient/${id}`) })),
  },
  {
    resourceType: 'Bundle',
    id: 'BD1',
    type: 'document',
    identifier: { system: 'http://example.org/documents', value: 'BD1' },
    timestamp: '2024-02-01T00:00:00Z',
    entry: [
      {
        fullUrl: 'http://example.org/fhir/Composition/CO1',
        resource: {
          resourceType: 'Composition',
          id: 'CO1',
          status: 'final',
          type: { text: 'Summary' },
          subject: reference('Patient/P1'),
          date: '2024-02-01',
          author: [reference('Practitioner/PR1')],
          title: 'Summary',
        },
      },
      {
        fullUrl: 'http://example.org/fhir/Observation/O2',
        resource: observation({ id: 'O2', patient: 'P1', categories: VS, code: '8867-4' }),
      },
    ],
  },
].map((each) => ('kind' in each ? (each as FixtureStep) : put(each as FhirResource)))

function put(resource: FhirResource): FixtureStep {
  const { id } = resource
  if (id === undefined) throw new TypeError(`a ${resource.resourceType} of the fixture has no id`)
  return { kind: 'put', resource: { ...resource, id } }
}

function reference(to: string): { readonly reference: string } {
  return { reference: to }
}
function practitioner(id: string, family: string): FhirResource {
  return { resourceType: 'Practitioner', id, name: [{ family }] }
}
function encounter(id: string, patient: string): FhirResource {
  return {
    resourceType: 'Encounter',
    id,
    status: 'finished',
    class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
    subject: reference(`Patient/${patient}`),
  }
}
function condition(
  id: string,
  patient: string,
  categories: readonly (readonly [system: string, code: string])[],
): FhirResource {
  return {
    resourceType: 'Condition',
    id,
    category: categories.map(([system, code]) => ({ coding: [{ system, code }] })),
    code: { text: 'condition' },
    subject: reference(`Patient/${patient}`),
  }
}
function allergy(id: string, patient: string): FhirResource {
  return { resourceType: 'AllergyIntolerance', id, patient: reference(`Patient/${patient}`) }
}
function provenance(id: string, target: string): FhirResource {
  return {
    resourceType: 'Provenance',
    id,
    target: [reference(target)],
    recorded: '2024-02-01T00:00:00Z',
    agent: [{ who: reference('Practitioner/PR1') }],
  }
}
function binary(id: string): FhirResource {
  return { resourceType: 'Binary', id, contentType: 'text/plain', data: 'aGVsbG8=' }
}
function documentReference(id: string, patient: string, url: string): FhirResource {
  return {
    resourceType: 'DocumentReference',
    id,
    status: 'current',
    subject: reference(`Patient/${patient}`),
    content: [{ attachment: { contentType: 'text/plain', url } }],
  }
}
