/**
 * What a launch is about, in the members of the token response.
 *
 * @see SMART App Launch 2.2, scopes-and-launch-context: launch context parameters
 */
export interface LaunchContext {
  /** Id of a Patient, which every `patient/` scope is bound to. */
  readonly patient?: string
  /** Id of an Encounter. */
  readonly encounter?: string
  readonly fhirContext?: readonly FhirContextItem[]
  readonly need_patient_banner?: boolean
  /** What the app shall do; its meaning is agreed on out of band. */
  readonly intent?: string
  /** Changes whenever the style does. */
  readonly smart_style_url?: string
  readonly tenant?: string
}

/** At least one of `reference`, `canonical` and `identifier`. */
export interface FhirContextItem {
  /** Relative: `ImagingStudy/123`. */
  readonly reference?: string
  readonly canonical?: string
  readonly identifier?: { readonly system?: string; readonly value?: string }
  readonly type?: string
  /** `launch` if missing; an absolute URI unless the IG defines it. */
  readonly role?: string
}

/** The members of {@link LaunchContext}, as token responses and introspection list them. */
export const LAUNCH_CONTEXT_MEMBERS = [
  'patient',
  'encounter',
  'fhirContext',
  'need_patient_banner',
  'intent',
  'smart_style_url',
  'tenant',
] as const satisfies readonly (keyof LaunchContext)[]
