import type { ClaimMapping } from '../claim-mapping.ts'

/** What is known of a kind of provider: plain data, so that another kind is another file. */
export interface ProviderPreset {
  /** What the button says after "Sign in with". */
  readonly label: string
  /** The issuer, with the settings it is made of as `{name}`; absent: `issuer` must be given. */
  readonly issuerTemplate?: string
  readonly scopes: readonly string[]
  /** What the configuration may replace, member by member. Never `fhirUser`, never `roles`. */
  readonly claims: ClaimMapping
  /** When claims that the ID token lacks are asked for at the userinfo endpoint. */
  readonly userInfo: 'never' | 'when-missing'
  /** What the assertion of private_key_jwt names as its audience. */
  readonly assertionAudience: 'issuer' | 'token_endpoint'
  /** The claim by which the provider vouches for the address in `email`. */
  readonly emailVerifiedClaim: string
  /** Checks and parameters that only this kind of provider has. */
  readonly quirk?: 'entra' | 'google'
  /** What to do about an error code of the provider, for the operator. */
  readonly fixes: Readonly<Record<string, string>>
}
