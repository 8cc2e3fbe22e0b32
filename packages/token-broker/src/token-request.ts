import type { TokenFailure } from '@scopegate/oauth-model'
import type { Connection } from './connection.ts'

/** Exactly what one token is for: every difference here is another token. */
export interface TokenTarget {
  readonly connection: Connection
  readonly scopes: readonly string[]
  readonly audience: string | undefined
  readonly subject: string | undefined
}

/** Asks a provider, once. Knows no cache, no lease and no retry (but the DPoP nonce round). */
export interface TokenRequester {
  /**
   * One token request. Never throws for what a provider or a network does.
   *
   * @param options.refreshToken for the grant `refresh_token`, and after an interactive sign-in.
   * @param options.dpopKey the key that this refresh token is bound to; without it a new one is made.
   */
  request(
    target: TokenTarget,
    options: {
      readonly refreshToken?: string
      readonly dpopKey?: DpopKey
      readonly signal: AbortSignal
    },
  ): Promise<TokenOutcome>
}

export type TokenOutcome =
  | { readonly kind: 'token'; readonly token: FetchedToken }
  | {
      readonly kind: 'failed'
      readonly failure: TokenFailure
      /** The provider's clock minus ours, if an answer came. */
      readonly clockSkewSeconds?: number
    }

/** An answer of a token endpoint, read leniently; what was odd stands in `warnings`. */
export interface FetchedToken {
  readonly accessToken: string
  readonly type: 'Bearer' | 'DPoP'
  /** As the provider said; missing if it did not, and for 0. */
  readonly expiresInSeconds?: number
  /** `exp` of a JWT access token, epoch seconds by the provider's clock. */
  readonly jwtExpiresAt?: number
  /** When the provider wants it renewed (Entra's `refresh_in`). */
  readonly refreshInSeconds?: number
  readonly scopes: readonly string[]
  readonly refreshToken?: string
  readonly refreshExpiresInSeconds?: number
  /** After a sign-in: who, as the ID token says. Not verified, for people to read. */
  readonly signedInAs?: string
  readonly warnings: readonly string[]
  /** The provider's clock minus ours, from its `Date` header. */
  readonly clockSkewSeconds?: number
  /**
   * What a DPoP token is bound to. It belongs to the token: whoever uses that, in whichever process,
   * needs it, so it is stored where the token is, and sealed like it.
   */
  readonly dpopKey?: DpopKey
}

/** A private P-256 key, as a JWK. Secret. @see RFC 9449 */
export interface DpopKey {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  readonly d: string
}
