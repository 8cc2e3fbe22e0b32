import type { FhirResource } from '@scopegate/fhir-model'

export const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'
export const LOINC = 'http://loinc.org'

/** An Observation of a patient in these categories. */
export function observation(
  id: string,
  patientId: string,
  categories: readonly string[] = ['laboratory'],
  more: object = {},
): FhirResource {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    category: categories.map((code) => ({ coding: [{ system: CATEGORY, code }] })),
    code: { coding: [{ system: LOINC, code: '2345-7' }] },
    subject: { reference: `Patient/${patientId}` },
    ...more,
  }
}

export function patient(id: string, family: string, more: object = {}): FhirResource {
  return { resourceType: 'Patient', id, name: [{ family }], ...more }
}

export function encounter(id: string, patientId: string, more: object = {}): FhirResource {
  return {
    resourceType: 'Encounter',
    id,
    status: 'finished',
    class: { code: 'AMB' },
    subject: { reference: `Patient/${patientId}` },
    ...more,
  }
}
