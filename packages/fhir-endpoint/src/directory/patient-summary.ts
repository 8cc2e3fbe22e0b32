import type { StoredVersion } from '@scopegate/fhir-model'
import type { PatientSummary } from '@scopegate/oauth-model'
import { displayText, listOf } from './display-text.ts'
import { formatHumanName } from './human-name.ts'

/** Numbers that other authorities gave, and that whoever looks over a shoulder should not read. */
const PRIVATE_TYPES: ReadonlySet<unknown> = new Set(['SS', 'DL', 'PPN', 'TAX', 'NIIP', 'BC', 'MB'])

/** What the picker shows of a Patient: enough to tell namesakes apart, and no more. */
export function summarizePatient(version: StoredVersion, nowMs: number): PatientSummary {
  const patient = JSON.parse(version.body) as Readonly<Record<string, unknown>>
  const birthDate = displayText(patient.birthDate)
  const gender = displayText(patient.gender)
  const identifier = medicalRecordNumber(patient.identifier)
  return {
    id: version.id,
    name: formatHumanName(patient.name, nowMs) ?? `Patient ${version.id}`,
    ...(birthDate === undefined ? {} : { birthDate }),
    ...(gender === undefined ? {} : { gender }),
    ...(identifier === undefined ? {} : { identifier }),
  }
}

/** The identifier typed as medical record number, else the first that is not private. */
function medicalRecordNumber(identifiers: unknown): string | undefined {
  const known = listOf(identifiers)
    .filter(({ use }) => use !== 'old')
    .map(({ type, value }) => ({ value: displayText(value), types: typesOf(type) }))
    .filter(({ value, types }) => value !== undefined && !types.some((t) => PRIVATE_TYPES.has(t)))
  return (known.find(({ types }) => types.includes('MR')) ?? known[0])?.value
}

function typesOf(concept: unknown): readonly unknown[] {
  return listOf(concept).flatMap(({ coding }) => listOf(coding).map(({ code }) => code))
}
