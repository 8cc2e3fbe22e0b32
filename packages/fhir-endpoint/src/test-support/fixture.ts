import type { FhirResource } from '@scopegate/fhir-model'

export const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'
export const LOINC = 'http://loinc.org'

export const LAB = `?category=${CATEGORY}|laboratory`
export const VITAL = `?category=${CATEGORY}|vital-signs`

/** A valid Observation. */
export function observation(
  id: string | undefined,
  patient: string | undefined,
  categories: readonly string[],
  more: Record<string, unknown> = {},
): FhirResource {
  return {
    resourceType: 'Observation',
    ...(id === undefined ? {} : { id }),
    status: 'final',
    ...(categories.length === 0
      ? {}
      : { category: categories.map((code) => ({ coding: [{ system: CATEGORY, code }] })) }),
    code: { coding: [{ system: LOINC, code: '2345-7' }] },
    ...(patient === undefined ? {} : { subject: { reference: `Patient/${patient}` } }),
    ...more,
  }
}

/** Two patients, what is laboratory and what is not, whose it is and whose it is not. */
export const FIXTURE: readonly FhirResource[] = [
  { resourceType: 'Patient', id: 'P1', name: [{ family: 'Ana' }] },
  { resourceType: 'Patient', id: 'P2', name: [{ family: 'Ben' }] },
  {
    resourceType: 'Encounter',
    id: 'E1',
    status: 'finished',
    class: { code: 'AMB' },
    subject: { reference: 'Patient/P1' },
  },
  {
    resourceType: 'Encounter',
    id: 'E3',
    status: 'finished',
    class: { code: 'AMB' },
    subject: { reference: 'Patient/P1' },
  },
  observation('O1', 'P1', ['laboratory'], { encounter: { reference: 'Encounter/E1' } }),
  observation('O2', 'P1', ['vital-signs'], { encounter: { reference: 'Encounter/E3' } }),
  observation('O3', 'P1', ['laboratory', 'vital-signs']),
  observation('O4', 'P1', ['social-history']),
  observation('O5', 'P2', ['laboratory']),
  observation('O6', 'P1', []),
  observation('O7', 'P2', ['laboratory'], { performer: [{ reference: 'Patient/P1' }] }),
  observation('O8', 'P1', ['laboratory'], { status: 'preliminary' }),
]
