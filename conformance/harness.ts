import type { AccessPolicy } from '@scopegate/smart-scopes'
import type { FixtureStep } from './fixture.ts'

/** What a test asks its issuer for. Times and audience are good unless said otherwise. */
export interface TokenWish {
  readonly scope: string
  readonly patient?: string
  readonly fhirUser?: string
  readonly clientId?: string
  readonly subject?: string
  /** Instead of the endpoint's own URL. */
  readonly audience?: string
  /** Negative for a token that has expired. */
  readonly expiresInSeconds?: number
  /** Further claims; those of the same name are replaced. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** The ways of `wrong` tokens: each must be answered with 401. */
export type WrongToken =
  | 'unsigned'
  | 'hmacWithPublicKey'
  | 'expired'
  | 'notYetValid'
  | 'forged'
  | 'idToken'

/**
 * A running server as the conformance suites see it: an address, an issuer it trusts, and a store
 * they may fill. The endpoint runs with `compartment: guarded`, `userPolicy: none`, default shared
 * types and client-chosen ids switched on, unless opened otherwise.
 */
export interface Harness {
  /** The FHIR base, without a slash at the end. */
  readonly baseUrl: string
  mint(wish: TokenWish): Promise<string>
  /** A token that asks for the same and must not be believed. */
  mintWrong(how: WrongToken, wish: TokenWish): Promise<string>
  /**
   * Empties the store and plays the steps, ids and version numbers as given.
   * @param policy other than what `Harness` names, until the next reset
   */
  reset(steps: readonly FixtureStep[], policy?: Partial<AccessPolicy>): Promise<void>
  close(): Promise<void>
}
