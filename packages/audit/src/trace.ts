import type { AnyCheck } from '@scopegate/checks'

export type TraceOutcome = 'permitted' | 'refused' | 'absent' | 'failed'

/**
 * One request as the operator may see it: every check, and nothing that names a patient or lets
 * somebody in. Made by the endpoint; `path` has gone through {@link redactPath}.
 */
export interface Trace {
  readonly correlationId: string
  /** Epoch milliseconds. */
  readonly atMs: number
  readonly endpoint: string
  readonly method: string
  readonly path: string
  readonly status: number
  readonly outcome: TraceOutcome
  readonly durationMs: number
  readonly clientId?: string
  readonly issuer?: string
  /** First bytes of the token's SHA-256. */
  readonly tokenFingerprint?: string
  /** What of the claims may be kept; see `redactClaims`. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** The complete list, as far as the operator may know: of a request, or of a token request. */
  readonly checks: readonly AnyCheck[]
  /** What was done with a permitted request, in words without values: `search, Observation.s …`. */
  readonly plan?: string
  /** Of a request that was passed on. */
  readonly upstream?: UpstreamTrace
}

/** How an upstream answered. */
export interface UpstreamTrace {
  /** Scheme, host and port. */
  readonly origin: string
  /** How often it was asked; more than once after a failure. */
  readonly attempts: number
  /** Missing when no answer came. */
  readonly status?: number
  /** From the attempt to a free connection. */
  readonly connectMs?: number
  /** From the request to the first byte of the answer. */
  readonly firstByteMs?: number
  /** From the request to the last byte of the answer. */
  readonly totalMs?: number
  /** Why no answer came: `ECONNREFUSED`, `timeout`; never what it sent. */
  readonly failure?: string
}

/** Every member narrows; newest first. */
export interface TraceQuery {
  readonly correlationId?: string
  readonly clientId?: string
  readonly outcome?: TraceOutcome
  /** What the failed check is called, in the catalogue. */
  readonly code?: string
  /** The path begins with it. What traces do not keep of paths is not looked for. */
  readonly path?: string
  /** At most; default 50, largest 500. */
  readonly limit?: number
  /** Only older ones: `atMs` of the last one of the previous page. */
  readonly beforeMs?: number
}

/** Where endpoints leave what they decided. Never throws and never makes a request wait. */
export interface TraceSink {
  /**
   * Every outcome but `permitted` is kept; of those that were permitted only as many as the store
   * has room for, so `make` may never be called.
   */
  record(outcome: TraceOutcome, make: () => Trace): void
}
