import {
  type AnyCheck,
  failedTokenRequest,
  type ReasonCode,
  redactText,
  type TokenRequestCheck,
  type TokenRequestReasonCode,
} from '@scopegate/checks'

/** Why an endpoint of ours said no, for the operator. */
export interface TokenRefusal {
  readonly correlationId: string
  /** Of the endpoint; that of the token endpoint if missing. */
  readonly path?: string
  /** Epoch milliseconds. */
  readonly atMs: number
  readonly durationMs: number
  readonly method: string
  readonly status: number
  /** The OAuth error code. */
  readonly error: string
  /** The reason in words, as a client reads it unless `explain.callers` says less. */
  readonly description: string
  readonly code: TokenRequestReasonCode | ReasonCode
  /** As claimed, not verified. */
  readonly clientId?: string
  readonly address: string
  readonly checks: readonly AnyCheck[]
}

/** A token that was issued, with what was left out of it. */
export interface TokenIssued {
  readonly correlationId: string
  readonly atMs: number
  readonly clientId: string
  readonly address: string
  readonly audience: string
  readonly scope: string
  /** Whom it acts for, and by which grant; missing for client credentials. */
  readonly userId?: string
  readonly grantId?: string
  /** Whose token was exchanged for it. */
  readonly subjectIssuer?: string
  readonly remarks: readonly {
    readonly scope: string
    readonly code: string
    readonly reason: string
    readonly fix: string
  }[]
}

/** One reason, and what is said to whom. Step, meaning and general fix are in the catalogue. */
export interface RefusalReason {
  readonly code: TokenRequestReasonCode
  readonly expected?: string
  readonly got?: string
  /** Where a more exact one is known than that of the catalogue. */
  readonly fix?: string
  /** What the client reads; the library's own text if missing. */
  readonly told?: string
}

/** The checks up to the failed one, and the rest as skipped; without what looks like a secret. */
export function refusalChecks(reason: RefusalReason): readonly TokenRequestCheck[] {
  const { code, expected, got, fix } = reason
  return failedTokenRequest(code, {
    ...(expected === undefined ? {} : { expected }),
    ...(got === undefined ? {} : { got: redactText(got) }),
    ...(fix === undefined ? {} : { fix }),
  })
}

/**
 * Text as `error_description` may hold it.
 *
 * @see RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E
 */
export function describable(text: string): string {
  return text
    .replaceAll('"', "'")
    .replaceAll('\\', '/')
    .replaceAll('…', '...')
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 1500)
}
