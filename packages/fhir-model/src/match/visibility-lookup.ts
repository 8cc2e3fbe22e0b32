import type { FhirResource, ResourceKey } from '../resource.ts'

/**
 * What a predicate must ask about other resources. Bound to one Access by whoever makes it:
 * "visible" means that this Access permits `r` or `s`. Implementations may batch and memoise.
 * What cannot be found is not visible.
 */
export interface VisibilityLookup {
  /** Whether this instance is visible. */
  isVisible(key: ResourceKey): Promise<boolean>
  /** Whether a visible DocumentReference, DiagnosticReport or Media has an attachment with this Binary's URL. */
  hasVisibleAttachment(binary: ResourceKey): Promise<boolean>
  /** Whether some visible resource refers to this instance. */
  hasVisibleReferrer(key: ResourceKey): Promise<boolean>
  /** Whether a resource that stands inside another one (a Bundle entry) would be visible by itself. */
  wouldBeVisible(resource: FhirResource): Promise<boolean>
}
