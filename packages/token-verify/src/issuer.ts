import { SIGNATURE_ALGORITHMS } from './algorithms.ts'
import type { AppOnlyRule } from './app-only.ts'
import type { ClaimPlaces } from './claim-places.ts'
import type { KeySource } from './key-source.ts'
import type { ScopeNames } from './map-scopes.ts'

/** An issuer whose access tokens are accepted, and what they look like. */
export interface Issuer {
  /** Compared exactly with the `iss` claim. */
  readonly issuer: string
  /** Other values of `iss` that are the same issuer; tokens are known by `issuer` all the same. */
  readonly aliases?: readonly string[]
  readonly keys: KeySource
  /** Defaults to every asymmetric algorithm. */
  readonly algorithms?: readonly string[]
  /**
   * `at+jwt`: RFC 9068, the header says that it is an access token. `any`: issuers that do not say
   * (`at+jwt`, `JWT` or no `typ`). A list: exactly these, `none` for no `typ`. What is recognisably an ID token or
   * another kind of token is refused all the same.
   */
  readonly typ: 'at+jwt' | 'any' | readonly string[]
  /** Claims without which a token is refused, beside `exp`; `a|b` asks for one of both. */
  readonly requiredClaims: readonly string[]
  /** Claims that must be there with one of these values. */
  readonly claimValues?: Readonly<Record<string, readonly string[]>>
  /** A claim that every token must hold with this value: the tenant. */
  readonly tenant?: { readonly claim: string; readonly value: string }
  /** Default: the names of RFC 9068 and SMART, and what well-known issuers have in their place. */
  readonly claims?: ClaimPlaces
  /** Default: scopes are taken as they are. */
  readonly scopeNames?: ScopeNames
  /** How a token without a user is told. Default: by what names a FHIR user. */
  readonly appOnly?: AppOnlyRule
  /**
   * Looks up a token that is no JWT: its claims, named as in a JWT (`jti` a hash, never the token
   * itself), or `undefined` if it is unknown, has expired or was revoked. Asked again every few
   * seconds while the token is used. Without it, opaque tokens of this issuer are refused.
   */
  readonly resolveOpaque?: OpaqueResolver
  /** How long its word on a token is taken, which is how late a revocation may be noticed. */
  readonly opaqueSeconds?: number
  /** Its JWTs are looked up too, so that revoked ones are noticed. */
  readonly isAlwaysAsked?: boolean
}

export type OpaqueResolver = (
  token: string,
) => Promise<Readonly<Record<string, unknown>> | undefined>

/** An issuer that follows RFC 9068, as our own does. @see RFC 9068 §2.2 */
export function rfc9068Issuer(
  issuer: string,
  keys: KeySource,
  algorithms: readonly string[] = SIGNATURE_ALGORITHMS,
): Issuer {
  return {
    issuer,
    keys,
    algorithms,
    typ: 'at+jwt',
    requiredClaims: ['sub', 'aud', 'iat', 'jti', 'client_id'],
  }
}

/** An issuer of which nothing is known but that it signs JWTs; most do not set `typ: at+jwt`. */
export function genericIssuer(
  issuer: string,
  keys: KeySource,
  algorithms: readonly string[] = SIGNATURE_ALGORITHMS,
): Issuer {
  return { issuer, keys, algorithms, typ: 'any', requiredClaims: ['sub', 'aud'] }
}
