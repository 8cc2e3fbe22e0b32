import {
  compilePredicate,
  type FhirResource,
  type Predicate,
  type SubmittedBody,
} from '@scopegate/fhir-model'

/**
 * What a resource misses of the alternative that it misses least; empty when some alternative is
 * met as far as it does not depend on other resources.
 */
export function missedParts(
  predicate: Predicate,
  resource: FhirResource,
  submitted?: SubmittedBody,
): readonly Predicate[] {
  const missed = alternativesOf(predicate).map((parts) =>
    parts.filter((part) => isMissed(part, resource, submitted)),
  )
  return missed.sort((a, b) => weightOf(a) - weightOf(b))[0] ?? []
}

/** The alternatives as lists of what must hold. */
export function alternativesOf(predicate: Predicate): readonly (readonly Predicate[])[] {
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
  part: Predicate,
  resource: FhirResource,
  submitted: SubmittedBody | undefined,
): boolean {
  const matcher = compilePredicate(resource.resourceType, part)
  return matcher.sync && !matcher.test(resource, submitted)
}

/** Another patient's record is further away than another category. */
function weightOf(missed: readonly Predicate[]): number {
  return missed.reduce((sum, { kind }) => sum + (kind === 'compartment' ? 100 : 1), 0)
}
