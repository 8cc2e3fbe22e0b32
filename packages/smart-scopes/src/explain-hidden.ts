import { type Check, failed } from '@scopegate/checks'
import type { FhirResource, Predicate } from '@scopegate/fhir-model'
import { describePredicate } from './describe-access.ts'
import { alternativesOf, missedParts } from './missed-parts.ts'

/**
 * Why a stored resource is hidden under a predicate, for the operator's trace: another patient's, or
 * outside the constraint. Only for resources that are hidden. Every reason it gives is for the
 * operator: to the caller it looks like `instance_absent`. Says what the scopes ask for, nothing of
 * what the resource holds.
 */
export function explainHidden(predicate: Predicate, resource: FhirResource): Check {
  const missed = missedParts(predicate, resource)
  if (missed.some(({ kind }) => kind === 'compartment' || kind === 'id'))
    return failed('compartment_mismatch', {
      expected: `${resource.resourceType} in the record of the patient of the token`,
    })
  if (missed.length > 0)
    return failed('constraint_mismatch', {
      expected: `${resource.resourceType} ${missed.map(describePredicate).join(' and ')}`,
    })
  return alternativesOf(predicate)
    .flat()
    .some(({ kind }) => kind === 'visible-via')
    ? failed('not_visible_through_others', { expected: describePredicate(predicate) })
    : failed('constraint_mismatch')
}
