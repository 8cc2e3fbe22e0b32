import type { StoredVersion } from '@scopegate/fhir-model'
import type { EncounterSummary } from '@scopegate/oauth-model'
import { conceptText, displayText, listOf } from './display-text.ts'

/** @see https://terminology.hl7.org/ValueSet-v3-ActEncounterCode.html */
const CLASSES: ReadonlyMap<unknown, string> = new Map([
  ['AMB', 'Ambulatory'],
  ['EMER', 'Emergency'],
  ['FLD', 'Field'],
  ['HH', 'Home health'],
  ['IMP', 'Inpatient'],
  ['ACUTE', 'Inpatient, acute'],
  ['NONAC', 'Inpatient, non-acute'],
  ['OBSENC', 'Observation'],
  ['PRENC', 'Pre-admission'],
  ['SS', 'Short stay'],
  ['VR', 'Virtual'],
])

/** What the picker shows of an Encounter: what it was, in words, and when. */
export function summarizeEncounter(version: StoredVersion): EncounterSummary {
  const encounter = JSON.parse(version.body) as Readonly<Record<string, unknown>>
  const [period] = listOf(encounter.period)
  const start = displayText(period?.start)
  const end = displayText(period?.end)
  return {
    id: version.id,
    title: titleOf(encounter),
    status: displayText(encounter.status) ?? 'unknown',
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
  }
}

function titleOf(encounter: Readonly<Record<string, unknown>>): string {
  const [encounterClass] = listOf(encounter.class)
  return (
    conceptText(listOf(encounter.type)[0]) ??
    conceptText(encounter.serviceType) ??
    displayText(encounterClass?.display) ??
    CLASSES.get(encounterClass?.code) ??
    displayText(encounterClass?.code) ??
    'Encounter'
  )
}
