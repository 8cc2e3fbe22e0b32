import type { Check } from '@scopegate/checks'

/** An access token whose signature, type, issuer, audience and times were found good. Says nothing of scopes. */
export interface VerifiedToken {
  readonly issuer: string
  readonly subject: string
  readonly clientId: string
  readonly audience: readonly string[]
  /** Space-separated, as granted; names of the issuer that mean a SMART scope are that scope. */
  readonly scope: string
  /** Epoch seconds. */
  readonly issuedAt: number
  readonly expiresAt: number
  /** Of an opaque token, a hash. */
  readonly jti?: string
  /** What the user agreed to, as our own server names it: all tokens of a grant end together. */
  readonly grantId?: string
  readonly patient?: string
  readonly encounter?: string
  /** `Practitioner/1`, relative or absolute. */
  readonly fhirUser?: string
  /** The token is a user's, whether or not it says whose: by a `fhirUser` that cannot be read, or by what is known of its issuer. */
  readonly hasUser?: true
  /** What the token says of its rights, where that is not all in `scope`: `claims seen: roles=[A]; mapped scopes: none`. */
  readonly scopeOrigin?: string
  /** All of them, verified. For what a declaration points at; never for a log. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** First 16 bytes of the token's SHA-256, base64url: for logs, caches and traces. */
  readonly fingerprint: string
}

export type TokenVerdict =
  | {
      readonly ok: true
      readonly token: VerifiedToken
      readonly checks: readonly Check[]
      /** For the header `DPoP-Nonce`, where the next proof needs another nonce. */
      readonly dpopNonce?: string
    }
  /** `checks` ends with the failed one; what comes after it is `skipped`. */
  | {
      readonly ok: false
      readonly checks: readonly Check[]
      /** What could be read of it, unverified, for the operator. */
      readonly claimed?: {
        readonly issuer?: string
        readonly clientId?: string
        readonly fingerprint: string
      }
      readonly dpopNonce?: string
    }

/** Turns an `Authorization` header into a verdict. @throws when a key set could not be had. */
export interface TokenVerifier {
  /** How proofs of possession may be signed; missing where tokens bound by DPoP are refused. */
  readonly dpopAlgorithms?: readonly string[]
  verify(
    authorization: string | undefined,
    expected: ExpectedAudience,
    presentation?: Presentation,
  ): Promise<TokenVerdict>
}

/** What the header alone does not show of how the token was sent. */
export interface Presentation {
  /** More than one `Authorization` header came. */
  readonly authorizationRepeated?: boolean
  /** `access_token` came in the URL or in a form. */
  readonly tokenInParameters?: boolean
  /**
   * SHA-256 thumbprint, base64url, of the certificate that the client has shown on its connection:
   * for tokens that are bound to one. @see RFC 8705 §3
   */
  readonly clientCertificate?: string
  /** For tokens that are bound to a key. Without it, none of them is accepted. */
  readonly request?: PresentedRequest
  /**
   * The token is asked about, not used, so that whoever sends it need not hold its key: a bound one
   * is accepted without proof. Never set where the token opens something; what it opened before may be
   * looked at again with it.
   */
  readonly isInspected?: boolean
}

/** The request that carried a token, as a proof of possession is about it. @see RFC 9449 §4.3 */
export interface PresentedRequest {
  readonly method: string
  /** Absolute, as the client sees it and not as a header claims it; query and fragment do not count. */
  readonly url: string
  /** The `DPoP` header; repeated ones joined by a comma are refused. */
  readonly proof?: string
}

export interface ExpectedAudience {
  /** Accepted audiences; the endpoint's own URL is always among them. */
  readonly audiences: readonly string[]
  /** Issuers trusted here. */
  readonly issuers: readonly string[]
}
