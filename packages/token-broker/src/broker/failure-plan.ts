import type { TokenFailure } from '@scopegate/oauth-model'

/** What follows from a failed attempt. */
export type FailurePlan =
  /** Whom it concerns, and when it is worth another attempt. */
  | {
      readonly kind: 'wait'
      readonly scope: 'client' | 'target'
      /** Nobody expects it to pass by itself: callers get the failure at once. */
      readonly isOpen: boolean
      readonly waitMs: number
    }
  /** The refresh token is of no use any more, or must be taken for it. */
  | { readonly kind: 'sign-out'; readonly failure: TokenFailure }

export interface FailureSituation {
  /** How often it failed before, in a row. */
  readonly failures: number
  /** A refresh token was used, and whether it may be used twice. */
  readonly refreshToken?: 'single-use' | 'reusable'
  /** 0 to 1. */
  readonly random: () => number
}

const FIRST_BACKOFF_MS = 500
const LONGEST_BACKOFF_MS = 60_000
const SHORTEST_WAIT_MS = 100
const FIRST_PROBE_MS = 30_000
const LONGEST_PROBE_MS = 600_000
const LONGEST_RETRY_AFTER_MS = 3_600_000

/**
 * - What passes by itself is tried again after 0.5 s to 60 s (exponential, full jitter), or when the
 *   provider said.
 * - What somebody must change is probed after 30 s, then slower, down to every 10 minutes.
 * - A single-use refresh token that was sent and got no answer may have been used up: it is not sent
 *   again. An answer without a token (429, 5xx) leaves nothing to lose: it is.
 */
export function planAfterFailure(failure: TokenFailure, situation: FailureSituation): FailurePlan {
  const { failures, refreshToken, random } = situation
  if (refreshToken !== undefined) {
    if (failure.kind === 'sign-in') return { kind: 'sign-out', failure }
    const isUnanswered = failure.wasSent && failure.provider?.status === undefined
    if (isUnanswered && refreshToken === 'single-use') {
      return { kind: 'sign-out', failure: uncertain(failure) }
    }
  }
  const scope = concernsClient(failure) ? 'client' : 'target'
  if (passesByItself(failure)) {
    return { kind: 'wait', scope, isOpen: false, waitMs: backoffMs(failure, failures, random) }
  }
  const probeMs = Math.min(FIRST_PROBE_MS * 2 ** Math.min(failures, 10), LONGEST_PROBE_MS)
  return { kind: 'wait', scope, isOpen: true, waitMs: probeMs }
}

export function passesByItself({ kind }: TokenFailure): boolean {
  return kind === 'temporary' || kind === 'network' || kind === 'rate'
}

function backoffMs(failure: TokenFailure, failures: number, random: () => number): number {
  if (failure.retryAfterSeconds !== undefined) {
    return Math.min(Math.max(failure.retryAfterSeconds, 0) * 1000, LONGEST_RETRY_AFTER_MS)
  }
  const mostMs = Math.min(FIRST_BACKOFF_MS * 2 ** Math.min(failures, 10), LONGEST_BACKOFF_MS)
  return Math.max(SHORTEST_WAIT_MS, random() * mostMs)
}

/** Others are about one target: a scope that nobody allowed must not stop the tokens of others. */
function concernsClient(failure: TokenFailure): boolean {
  if (passesByItself(failure) || failure.kind === 'clock') return true
  const { error, status } = failure.provider ?? {}
  if (error !== undefined) return error === 'invalid_client' || error === 'unauthorized_client'
  return status === undefined || status === 401
}

function uncertain(failure: TokenFailure): TokenFailure {
  return {
    ...failure,
    kind: 'sign-in',
    code: 'refresh_token_uncertain',
    cause: `the refresh token was sent and no answer came (${failure.cause}): the provider may have replaced it, and using a replaced one again ends the sign-in`,
    fix: 'sign in again; or, if the provider certainly never saw the request, retry the connection',
  }
}
