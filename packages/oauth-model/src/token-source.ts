/**
 * Where outbound tokens come from: the broker offers it; the sidecar, the API gateway and FHIR
 * upstreams use it, and never learn how a token was got.
 */
export interface TokenSource {
  /**
   * The token of a connection, with more life left than {@link TokenWish.minValidSeconds}.
   *
   * @throws {TokenUnavailable} when there is none. Whoever asked sends nothing then.
   */
  getToken(connection: string, wish?: TokenWish): Promise<ConnectionToken>
  /**
   * A server refused this token. If it is still the current one, the next `getToken` waits for a
   * new one; many callers that say so of the same token cause one renewal.
   */
  reject(connection: string, token: ConnectionToken): Promise<void>
}

/** What narrows one call. Every different wish has a token of its own. */
export interface TokenWish {
  readonly scopes?: readonly string[]
  readonly audience?: string
  /** On whose behalf, where the connection's grant has a subject. */
  readonly subject?: string
  /** Demands that much life; a shorter token is renewed first. */
  readonly minValidSeconds?: number
  /** With `minValidSeconds`: no token rather than a shorter one. */
  readonly strict?: boolean
  readonly signal?: AbortSignal
}

export interface ConnectionToken {
  readonly accessToken: string
  readonly type: 'Bearer' | 'DPoP'
  /** Epoch seconds; never handed out after it. */
  readonly expiresAt: number
  /** As granted. */
  readonly scopes: readonly string[]
  /** First 16 bytes of its SHA-256, base64url: for logs, traces and audits. */
  readonly fingerprint: string
  /** What was odd, in codes: `unexpected_id_token_ignored`, `refresh_failed`, `shortfall`. */
  readonly warnings: readonly string[]
  /**
   * The headers of one request: `authorization`, and for a DPoP token its proof.
   *
   * @param request.url as it is sent, without query and fragment for the proof.
   */
  headers(request: {
    readonly method: string
    readonly url: string
    readonly dpopNonce?: string
  }): Promise<Readonly<Record<string, string>>>
}

/** Who is to blame, and so what helps: decides whether and when the broker tries again. */
export const FAILURE_KINDS = [
  /** A setting here is wrong: no retry until configuration or secret change, and slow probes. */
  'configuration',
  /** An administrator there must allow something: as `configuration`. */
  'administration',
  /** A user must sign in again. */
  'sign-in',
  /** Passes by itself: retried with back-off, a valid token goes on. */
  'temporary',
  /** Asked too often: waits as long as told. */
  'rate',
  /** The clocks differ. */
  'clock',
  /** No answer came: name, route, TLS, proxy. */
  'network',
  /** The token is fine, the resource does not allow it. */
  'permission',
] as const

export type FailureKind = (typeof FAILURE_KINDS)[number]

/** Why there is no token; nothing in it is secret. */
export interface TokenFailure {
  readonly kind: FailureKind
  /** The row of the error catalogue: `entra_secret_wrong`. */
  readonly code: string
  /** One sentence each, for the operator. */
  readonly cause: string
  readonly fix: string
  /** What the provider said, as it said it, without secrets. */
  readonly provider?: ProviderMessage
  readonly retryAfterSeconds?: number
  /**
   * Whether the provider may have seen the request: a refresh token that may have been used is not
   * sent again blindly.
   */
  readonly wasSent: boolean
}

export interface ProviderMessage {
  readonly status?: number
  readonly error?: string
  readonly description?: string
  readonly errorUri?: string
  /** `AADSTS` numbers. */
  readonly codes?: readonly number[]
  readonly traceId?: string
  readonly correlationId?: string
  readonly timestamp?: string
  /** First characters of an answer that was no OAuth answer, with its content type. */
  readonly excerpt?: string
  readonly contentType?: string
}

/** There is no token. The message is one sentence for the operator, without secrets. */
export class TokenUnavailable extends Error {
  override readonly name = 'TokenUnavailable'
  readonly connection: string
  readonly failure: TokenFailure
  /** When the broker asks the provider again; epoch seconds. */
  readonly nextAttemptAt: number | undefined

  constructor(connection: string, failure: TokenFailure, nextAttemptAt?: number) {
    super(`no token for connection \`${connection}\`: ${failure.cause}; ${failure.fix}`)
    this.connection = connection
    this.failure = failure
    this.nextAttemptAt = nextAttemptAt
  }
}

/** A connection as operators see it. */
export interface ConnectionStatus {
  readonly name: string
  /**
   * `idle`: nobody asked yet. `fresh`, `due` (renewed in the background), `overdue` (callers wait):
   * a token lives. `expired`: none. `open`: none, and the provider is not asked before
   * `nextAttemptAt`. `signed-out`: a user must sign in.
   */
  readonly state: 'idle' | 'fresh' | 'due' | 'overdue' | 'expired' | 'open' | 'signed-out'
  /** Epoch seconds. */
  readonly expiresAt?: number
  readonly renewAt?: number
  readonly nextAttemptAt?: number
  readonly lastFetchedAt?: number
  readonly lastFailure?: TokenFailure & { readonly at: number }
  /** Of the last token. */
  readonly warnings: readonly string[]
  readonly scopes?: readonly string[]
  /** Since this process started. */
  readonly hits: number
  readonly fetches: number
  readonly failures: number
  readonly waiting: number
}
