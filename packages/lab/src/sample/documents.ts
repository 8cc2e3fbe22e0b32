import type { FhirResource } from '@scopegate/fhir-model'
import { observationId } from './observations.ts'
import { PRACTITIONER_IDS, patientId } from './people.ts'
import type { Random } from './random.ts'
import { instantBefore } from './sample-time.ts'
import { concept, loinc, restricted } from './systems.ts'

/** A clinical note with its Binary, a report and the provenance of one result, for one patient. */
export function* documents(number: number, random: Random): Generator<FhirResource> {
  const subject = { reference: `Patient/${patientId(number)}` }
  const author = { reference: `Practitioner/${random.pick(PRACTITIONER_IDS)}` }
  const at = instantBefore(random.whole(5, 500), 600)
  // Every fourth note is restricted: labels on documents matter as much as on conditions.
  const meta = number % 4 === 0 ? { meta: restricted() } : {}
  const document = { reference: `DocumentReference/doc-${number}` }
  yield {
    resourceType: 'Binary',
    id: `bin-${number}`,
    ...meta,
    contentType: 'text/plain',
    securityContext: document,
    data: Buffer.from(`Progress note of sample patient ${number}. Synthetic text.`).toString(
      'base64',
    ),
  }
  yield {
    resourceType: 'DocumentReference',
    id: `doc-${number}`,
    ...meta,
    status: 'current',
    type: concept(loinc('11506-3', 'Progress note')),
    category: [
      {
        coding: [
          {
            system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category',
            code: 'clinical-note',
          },
        ],
      },
    ],
    subject,
    date: at,
    author: [author],
    content: [{ attachment: { contentType: 'text/plain', url: `Binary/bin-${number}` } }],
  }
  const result = { reference: `Observation/${observationId('laboratory', number)}` }
  yield {
    resourceType: 'DiagnosticReport',
    id: `report-${number}`,
    status: 'final',
    category: [
      {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0074', code: 'LAB' }],
      },
    ],
    code: concept(loinc('11502-2', 'Laboratory report')),
    subject,
    effectiveDateTime: at,
    performer: [author],
    result: [result],
  }
  yield {
    resourceType: 'Provenance',
    id: `prov-${number}`,
    target: [result],
    recorded: at,
    agent: [{ who: author }],
  }
}
