/** The steps of a token request, in their order. */
export const TOKEN_CHECKS = [
  'rate',
  'request',
  'client',
  'credential',
  'replay',
  'grant_type',
  'resource',
  'scope',
] as const
export type TokenCheckName = (typeof TOKEN_CHECKS)[number]

/** One step of a token request, as a value; plain text without secrets. */
export interface TokenCheck {
  readonly name: TokenCheckName
  readonly outcome: 'pass' | 'fail' | 'skipped'
  readonly code?: string
  readonly expected?: string
  readonly got?: string
  readonly fix?: string
}

/** Why the token endpoint said no, for the operator. */
export interface TokenRefusal {
  readonly correlationId: string
  /** Epoch milliseconds. */
  readonly atMs: number
  readonly status: number
  /** The OAuth error code. */
  readonly error: string
  /** What the client read. */
  readonly description: string
  readonly code: string
  /** As claimed, not verified. */
  readonly clientId?: string
  readonly address: string
  readonly checks: readonly TokenCheck[]
}

/** A token that was issued, with what was left out of it. */
export interface TokenIssued {
  readonly correlationId: string
  readonly atMs: number
  readonly clientId: string
  readonly address: string
  readonly audience: string
  readonly scope: string
  readonly remarks: readonly {
    readonly scope: string
    readonly code: string
    readonly reason: string
    readonly fix: string
  }[]
}

/** One reason: the step that failed, and what is said to whom. */
export interface RefusalReason {
  readonly check: TokenCheckName
  readonly code: string
  readonly expected?: string
  readonly got?: string
  readonly fix: string
  /** What the client reads; the library's own text if missing. */
  readonly told?: string
}

/** The checks up to the failed one, and the rest as skipped. */
export function refusalChecks(reason: RefusalReason): readonly TokenCheck[] {
  const at = TOKEN_CHECKS.indexOf(reason.check)
  return TOKEN_CHECKS.map((name, index): TokenCheck => {
    if (index < at) return { name, outcome: 'pass' }
    if (index > at) return { name, outcome: 'skipped' }
    const { code, expected, got, fix } = reason
    return {
      name,
      outcome: 'fail',
      code,
      ...(expected === undefined ? {} : { expected }),
      ...(got === undefined ? {} : { got }),
      fix,
    }
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
