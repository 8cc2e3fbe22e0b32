import { type Check, failed } from '@scopegate/checks'
import {
  compilePredicate,
  type FhirResource,
  type Predicate,
  patientReferences,
  type SubmittedBody,
} from '@scopegate/fhir-model'
import { describePredicate } from './describe-access.ts'

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
  const type = body.resourceType
  const alternatives = alternativesOf(predicate).map((parts) =>
    parts.filter((part) => isMissed(type, part, body, submitted)),
  )
  const missed = alternatives.sort((a, b) => weightOf(a) - weightOf(b))[0] ?? []
  const constraints = missed.filter(
    (part) => part.kind !== 'compartment' && part.kind !== 'no-foreign-patient',
  )
  const other = missed.find((part) => part.kind === 'no-foreign-patient')
  if (missed.some((part) => part.kind === 'compartment'))
    return failed('body_outside_compartment', { expected: 'the patient of the token' })
  if (constraints.length === 0 && other?.kind === 'no-foreign-patient')
    return failed('foreign_patient_reference', {
      expected: 'the patient of the token',
      got: foreignParams(body, other.id, submitted.previous).join(', '),
    })
  const needed = constraints.map(describePredicate).join(' and ')
  return failed('body_outside_constraint', {
    expected: needed === '' ? `another ${type}` : `${type} ${needed}`,
  })
}

/** The alternatives as lists of what must hold, one level of `or` inside `and` spread out. */
function alternativesOf(predicate: Predicate): readonly (readonly Predicate[])[] {
  switch (predicate.kind) {
    case 'or':
      return predicate.of.flatMap(alternativesOf)
    case 'and':
      return predicate.of
        .map(alternativesOf)
        .reduce((all, next) => all.flatMap((head) => next.map((tail) => [...head, ...tail])))
    default:
      return [[predicate]]
  }
}

function isMissed(
  type: string,
  part: Predicate,
  body: FhirResource,
  submitted: SubmittedBody,
): boolean {
  const matcher = compilePredicate(type, part)
  return matcher.sync && !matcher.test(body, submitted)
}

/** Another patient's record is further away than another category. */
function weightOf(missed: readonly Predicate[]): number {
  return missed.reduce((sum, { kind }) => sum + (kind === 'compartment' ? 100 : 1), 0)
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
