import type { FhirResource } from '@scopegate/fhir-model'
import { encounterId } from './care.ts'
import {
  OBSERVATION_KINDS,
  OBSERVATIONS_PER_EIGHT_PATIENTS,
  type ObservationCategory,
  type ObservationKind,
} from './observation-kinds.ts'
import { PRACTITIONER_IDS, patientId } from './people.ts'
import type { Random } from './random.ts'
import { instantBefore } from './sample-time.ts'
import { concept, LOINC, loinc, OBSERVATION_CATEGORY, UCUM } from './systems.ts'

/** Every Observation of `patients` patients, in the proportions of {@link OBSERVATIONS_PER_EIGHT_PATIENTS}. */
export function* observations(patients: number, random: Random): Generator<FhirResource> {
  for (const [category, perEight] of Object.entries(OBSERVATIONS_PER_EIGHT_PATIENTS)) {
    const wanted = Math.round((perEight * patients) / 8)
    for (let number = 1; number <= wanted; number++) {
      yield observation(category as ObservationCategory, number, patients, random)
    }
  }
}

/** Ids are stable: `obs-laboratory-17` is the seventeenth laboratory result. */
export const observationId = (category: ObservationCategory, number: number) =>
  `obs-${category}-${number}`

function observation(
  category: ObservationCategory,
  number: number,
  patients: number,
  random: Random,
): FhirResource {
  const kinds = OBSERVATION_KINDS[category]
  const kind = kinds[(number - 1) % kinds.length]!
  const subject = ((number - 1) % patients) + 1
  return {
    resourceType: 'Observation',
    id: observationId(category, number),
    status: number % 23 === 0 ? 'preliminary' : 'final',
    category: [{ coding: [{ system: OBSERVATION_CATEGORY, code: category }] }],
    code: concept(kind.code),
    subject: { reference: `Patient/${patientId(subject)}` },
    encounter: { reference: `Encounter/${encounterId(subject, (number % 2) + 1)}` },
    effectiveDateTime: instantBefore(random.whole(1, 900), random.whole(420, 1140)),
    performer: [{ reference: `Practitioner/${random.pick(PRACTITIONER_IDS)}` }],
    ...measured(kind, random),
  }
}

function measured(kind: ObservationKind, random: Random) {
  switch (kind.value) {
    case 'quantity':
      return {
        valueQuantity: {
          value: random.decimal(kind.low, kind.high, kind.digits),
          unit: kind.unit,
          system: UCUM,
          code: kind.ucum,
        },
      }
    case 'coded':
      return { valueCodeableConcept: concept(random.pick(kind.answers)) }
    case 'score':
      return {
        valueQuantity: {
          value: random.whole(0, kind.high),
          unit: '{score}',
          system: UCUM,
          code: '{score}',
        },
      }
    case 'blood-pressure':
      return {
        component: [
          pressure('8480-6', 'Systolic blood pressure', random.whole(98, 172)),
          pressure('8462-4', 'Diastolic blood pressure', random.whole(58, 104)),
        ],
      }
  }
}

const pressure = (code: string, display: string, value: number) => ({
  code: { coding: [{ ...loinc(code, display), system: LOINC }] },
  valueQuantity: { value, unit: 'mmHg', system: UCUM, code: 'mm[Hg]' },
})
