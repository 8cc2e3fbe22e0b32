import type { FhirResource } from '@scopegate/fhir-model'
import { PRACTITIONER_IDS, patientId } from './people.ts'
import { ALLERGY_CLINICAL, concept, snomed } from './systems.ts'

/**
 * Resources that lie in the compartments of two patients, where guards are easily got wrong:
 * patient 1 is the mother of patient 2 and recorded things about her child.
 */
export function* twoCompartments(): Generator<FhirResource> {
  const mother = { reference: `Patient/${patientId(1)}` }
  const child = { reference: `Patient/${patientId(2)}` }
  yield {
    resourceType: 'AllergyIntolerance',
    id: 'allergy-recorded-by-mother',
    clinicalStatus: { coding: [{ system: ALLERGY_CLINICAL, code: 'active' }] },
    code: concept(snomed('91935009', 'Allergy to peanut')),
    patient: child,
    recorder: mother,
  }
  yield {
    resourceType: 'RelatedPerson',
    id: 'related-mother',
    patient: child,
    relationship: [
      {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'MTH' }],
      },
    ],
  }
  yield {
    resourceType: 'Appointment',
    id: 'appointment-both',
    status: 'booked',
    start: '2026-07-06T09:00:00Z',
    end: '2026-07-06T09:30:00Z',
    participant: [
      { actor: mother, status: 'accepted' },
      { actor: child, status: 'accepted' },
      { actor: { reference: `Practitioner/${PRACTITIONER_IDS[0]}` }, status: 'accepted' },
    ],
  }
}
