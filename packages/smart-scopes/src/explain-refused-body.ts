import { type Check, failed } from '@scopegate/checks'
import {
  type FhirResource,
  type Predicate,
  patientReferences,
  type SubmittedBody,
} from '@scopegate/fhir-model'
import { describePredicate } from './describe-access.ts'
import { missedParts } from './missed-parts.ts'

/**
 * Why a submitted body is outside what a letter permits: the reason of the alternative that it
 * misses least. For bodies that were refused; the caller knows its own body, so it may be told all.
 * Parts that depend on other resources are taken as met.
 */
export function explainRefusedBody(
  predicate: Predicate,
  body: FhirResource,
  submitted: SubmittedBody = {},
): Check {
  const missed = missedParts(predicate, body, submitted)
  if (missed.some((part) => part.kind === 'compartment'))
    return failed('body_outside_compartment', { expected: 'the patient of the token' })
  const constraints = missed.filter((part) => part.kind !== 'no-foreign-patient')
  const foreign = missed.find((part) => part.kind === 'no-foreign-patient')
  if (constraints.length === 0 && foreign !== undefined)
    return failed('foreign_patient_reference', {
      expected: 'the patient of the token',
      got: foreignParams(body, foreign.id, submitted.previous).join(', '),
    })
  const needed = constraints.map(describePredicate).join(' and ')
  return failed('body_outside_constraint', {
    expected: needed === '' ? `another ${body.resourceType}` : `${body.resourceType} ${needed}`,
  })
}

function foreignParams(
  body: FhirResource,
  patient: string,
  previous: FhirResource | undefined,
): readonly string[] {
  const before = new Set(
    previous === undefined ? [] : patientReferences(previous).map(({ key }) => key),
  )
  const foreign = patientReferences(body).filter(
    ({ patientId, key }) => patientId !== patient && !before.has(key),
  )
  return [...new Set(foreign.map(({ param }) => param))]
}
