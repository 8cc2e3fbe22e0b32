import type { AppOnlyRule } from '../app-only.ts'
import type { ClaimPlaces } from '../claim-places.ts'
import type { IntrospectionForm } from '../introspection-form.ts'

/**
 * What is known of the access tokens of one kind of issuer: plain data, so that another kind is
 * another file. Every member can be replaced by a setting of the same name.
 */
export interface IssuerPreset {
  readonly title: string
  /** The issuer, with the settings that it is made of as `{name}`; absent: `issuer` must be given. */
  readonly issuer?: string
  /** What those settings are where nobody says so. */
  readonly parts?: Readonly<Record<string, string>>
  /** Where its metadata is, if that does not follow from the issuer. */
  readonly discovery?: string
  /** A claim that must hold the value of a setting, whatever the issuer signs: its tenant. */
  readonly tenant?: { readonly claim: string; readonly setting: string }
  readonly typ: 'at+jwt' | 'any' | readonly string[]
  /** Missing: every asymmetric one. */
  readonly algorithms?: readonly string[]
  /** Beside `exp`; `a|b` asks for one of both. */
  readonly requiredClaims: readonly string[]
  /** Claims that must be there with one of these values. */
  readonly claimValues?: Readonly<Record<string, readonly string[]>>
  readonly claims: ClaimPlaces
  /** How a token without a user is told. Missing: only by what names a FHIR user. */
  readonly appOnly?: AppOnlyRule
  /** Whether names that are SMART scopes already are taken as they are. */
  readonly unmapped: 'pass' | 'drop'
  /** Its tokens are opaque: how it is asked. */
  readonly introspection?: IntrospectionForm
  /** For the operator: what to set at the provider. */
  readonly remarks: readonly string[]
}
