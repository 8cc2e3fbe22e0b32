import type { FhirResource } from '@scopegate/fhir-model'
import { LOCATION_ID, ORGANIZATION_ID, PRACTITIONER_IDS, patientId } from './people.ts'
import type { Random } from './random.ts'
import { dayBefore, instantBefore } from './sample-time.ts'
import {
  ACT_CODE,
  ALLERGY_CLINICAL,
  CONDITION_CATEGORY,
  CONDITION_CLINICAL,
  CONDITION_VERIFICATION,
  type Coding,
  CVX,
  concept,
  RXNORM,
  restricted,
  snomed,
} from './systems.ts'

export const encounterId = (patientNumber: number, number: number) =>
  `enc-${patientNumber}-${number}`

interface SampleCondition {
  readonly code: Coding
  /** Why the record is restricted. Absent: an ordinary condition. */
  readonly sensitivity?: { readonly code: string; readonly display: string }
}

const CONDITIONS: readonly SampleCondition[] = [
  { code: snomed('44054006', 'Diabetes mellitus type 2') },
  { code: snomed('59621000', 'Essential hypertension') },
  { code: snomed('195967001', 'Asthma') },
  { code: snomed('55822004', 'Hyperlipidemia') },
]
const SENSITIVE_CONDITIONS: readonly SampleCondition[] = [
  {
    code: snomed('86406008', 'Human immunodeficiency virus infection'),
    sensitivity: { code: 'HIV', display: 'HIV/AIDS information sensitivity' },
  },
  {
    code: snomed('5602001', 'Opioid abuse'),
    sensitivity: { code: 'ETH', display: 'substance abuse information sensitivity' },
  },
  {
    code: snomed('197480006', 'Anxiety disorder'),
    sensitivity: { code: 'PSY', display: 'psychiatry disorder information sensitivity' },
  },
  {
    code: snomed('706893006', 'Victim of intimate partner abuse'),
    sensitivity: { code: 'SDV', display: 'sexual assault, abuse, or domestic violence' },
  },
]
const MEDICATIONS: readonly Coding[] = [
  { system: RXNORM, code: '860975', display: 'metformin hydrochloride 500 MG' },
  { system: RXNORM, code: '314076', display: 'lisinopril 10 MG Oral Tablet' },
  { system: RXNORM, code: '617310', display: 'atorvastatin 20 MG Oral Tablet' },
  { system: RXNORM, code: '745679', display: 'albuterol 90 MCG/ACTUAT inhaler' },
]
const ALLERGENS: readonly Coding[] = [
  snomed('91936005', 'Allergy to penicillin'),
  snomed('91935009', 'Allergy to peanut'),
  snomed('300916003', 'Latex allergy'),
]
const VACCINES: readonly Coding[] = [
  { system: CVX, code: '140', display: 'Influenza, seasonal, injectable, preservative free' },
  { system: CVX, code: '115', display: 'Tdap' },
  { system: CVX, code: '207', display: 'COVID-19, mRNA, LNP-S' },
]

/** What one patient has besides observations: encounters, conditions, medication, allergies, immunizations. */
export function* care(number: number, random: Random): Generator<FhirResource> {
  const subject = { reference: `Patient/${patientId(number)}` }
  for (const visit of [1, 2]) yield encounter(number, visit, subject, random)
  yield condition(`cond-${number}-1`, pickBy(CONDITIONS, number), 'problem-list-item', subject)
  yield condition(
    `cond-${number}-2`,
    pickBy(CONDITIONS, number + 1),
    'encounter-diagnosis',
    subject,
  )
  if (number % 2 === 0) {
    const sensitive = pickBy(SENSITIVE_CONDITIONS, number / 2)
    yield condition(`cond-${number}-3`, sensitive, 'problem-list-item', subject)
  }
  yield {
    resourceType: 'MedicationRequest',
    id: `medreq-${number}-1`,
    status: 'active',
    intent: 'order',
    medicationCodeableConcept: concept(pickBy(MEDICATIONS, number)),
    subject,
    authoredOn: dayBefore(random.whole(10, 600)),
    requester: { reference: `Practitioner/${random.pick(PRACTITIONER_IDS)}` },
  }
  yield {
    resourceType: 'AllergyIntolerance',
    id: `allergy-${number}-1`,
    clinicalStatus: { coding: [{ system: ALLERGY_CLINICAL, code: 'active' }] },
    code: concept(pickBy(ALLERGENS, number)),
    patient: subject,
    recorder: { reference: `Practitioner/${PRACTITIONER_IDS[0]}` },
  }
  yield {
    resourceType: 'Immunization',
    id: `imm-${number}-1`,
    status: 'completed',
    vaccineCode: concept(pickBy(VACCINES, number)),
    patient: subject,
    occurrenceDateTime: dayBefore(random.whole(30, 700)),
  }
}

function encounter(
  number: number,
  visit: number,
  subject: { reference: string },
  random: Random,
): FhirResource {
  const daysBefore = random.whole(5, 900)
  return {
    resourceType: 'Encounter',
    id: encounterId(number, visit),
    status: 'finished',
    class: { system: ACT_CODE, code: visit === 1 ? 'AMB' : 'IMP' },
    subject,
    participant: [{ individual: { reference: `Practitioner/${random.pick(PRACTITIONER_IDS)}` } }],
    period: { start: instantBefore(daysBefore, 540), end: instantBefore(daysBefore, 585) },
    location: [{ location: { reference: `Location/${LOCATION_ID}` } }],
    serviceProvider: { reference: `Organization/${ORGANIZATION_ID}` },
  }
}

function condition(
  id: string,
  { code, sensitivity }: SampleCondition,
  category: 'problem-list-item' | 'encounter-diagnosis',
  subject: { reference: string },
): FhirResource {
  return {
    resourceType: 'Condition',
    id,
    ...(sensitivity ? { meta: restricted(sensitivity) } : {}),
    clinicalStatus: { coding: [{ system: CONDITION_CLINICAL, code: 'active' }] },
    verificationStatus: { coding: [{ system: CONDITION_VERIFICATION, code: 'confirmed' }] },
    category: [{ coding: [{ system: CONDITION_CATEGORY, code: category }] }],
    code: concept(code),
    subject,
  }
}

const pickBy = <T>(from: readonly T[], number: number): T => from[(number - 1) % from.length]!
