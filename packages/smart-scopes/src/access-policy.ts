import type { CompartmentMode } from '@scopegate/fhir-model'

/** Whether patients see resources of a type that belongs to no patient. */
export type Sharing =
  | 'none'
  /** Those that a visible resource refers to. */
  | 'reachable'
  | 'all'

/** What an endpoint has decided about its tokens. Plain data. */
export interface AccessPolicy {
  readonly compartment: CompartmentMode
  /** What `user/` scopes give practitioners. Patients always get their own record. */
  readonly userPolicy: 'all' | 'none'
  /** By type; a type that is missing is not shared. Shared types are for reading and searching. */
  readonly sharedTypes: Readonly<Record<string, Sharing>>
  /** What `system/` scopes mean in a token that belongs to a user. */
  readonly systemOnUserToken: 'void' | 'allow'
  /** Whether `.read`, `.write` and `.*` are understood. */
  readonly v1Scopes: boolean
  /** Own base URLs, without a slash at the end: an absolute `fhirUser` below one is ours. */
  readonly baseUrls: readonly string[]
}

/** @see https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html on what apps need beside the compartment */
export const DEFAULT_SHARED_TYPES: Readonly<Record<string, Sharing>> = Object.freeze({
  Practitioner: 'all',
  PractitionerRole: 'all',
  Organization: 'all',
  Location: 'all',
  HealthcareService: 'all',
  Medication: 'all',
  Endpoint: 'all',
  Substance: 'all',
})

export const DEFAULT_POLICY: AccessPolicy = Object.freeze({
  compartment: 'guarded',
  userPolicy: 'none',
  sharedTypes: DEFAULT_SHARED_TYPES,
  systemOnUserToken: 'void',
  v1Scopes: true,
  baseUrls: [],
})
