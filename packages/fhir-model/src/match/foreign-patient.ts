import { patientReferences } from '../compartments/patient-compartment.ts'
import type { FhirResource } from '../resource.ts'
import type { MatchOptions } from './compile-clause.ts'

/**
 * Whether a submitted body refers, by a parameter of the patient compartment, to a patient other
 * than `patientId`. A reference that stood in the previous version under the same parameter does
 * not count: only what the request adds or changes is judged.
 */
export function addsForeignPatient(
  body: FhirResource,
  previous: FhirResource | undefined,
  patientId: string,
  options?: MatchOptions,
): boolean {
  const foreign = foreignKeys(body, patientId, options)
  if (foreign.length === 0) return false
  const stood = new Set(previous === undefined ? [] : foreignKeys(previous, patientId, options))
  return foreign.some((key) => !stood.has(key))
}

function foreignKeys(
  resource: FhirResource,
  patientId: string,
  options: MatchOptions | undefined,
): string[] {
  return patientReferences(resource, options)
    .filter((reference) => reference.patientId !== patientId)
    .map(({ param, key }) => `${param} ${key}`)
}
