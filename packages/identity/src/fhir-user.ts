const REFERENCE =
  /^(?:https?:\/\/[^\s?#@\\]+\/)?(?:Patient|Practitioner|PractitionerRole|RelatedPerson|Person)\/[A-Za-z0-9.-]{1,64}$/

/** What a `fhirUser` may be, for texts. */
export const FHIR_USER_SHAPE =
  '`Patient/…`, `Practitioner/…`, `PractitionerRole/…`, `RelatedPerson/…` or `Person/…`, relative or as an absolute http(s) URL'

/**
 * Whether `text` can be a `fhirUser`. Does not look whether the resource exists: it may be loaded
 * later, or be another server's.
 *
 * @see SMART App Launch 2.2, scopes for requesting identity data
 */
export function isFhirUser(text: string): boolean {
  return text.length <= 2048 && REFERENCE.test(text)
}
