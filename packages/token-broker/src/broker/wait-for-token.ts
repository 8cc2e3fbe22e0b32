import {
  type ConnectionToken,
  type TokenFailure,
  TokenUnavailable,
  type TokenWish,
} from '@scopegate/oauth-model'
import type { RenewalTrigger } from './broker-event.ts'
import { lifeTooShort, renewedJustNow, waitedTooLong } from './broker-failures.ts'
import { passesByItself } from './failure-plan.ts'
import type { RenewalOutcome } from './renew-token.ts'
import type { ConnectionCounts, Sleep } from './token-broker.ts'
import { type CacheEntry, isHeldBack, leftMsOf, phaseOf } from './token-cache.ts'
import { isNewlyIssued, newlyIssuedMs } from './windows.ts'

export interface WaitDeps {
  readonly renew: (
    entry: CacheEntry,
    trigger: RenewalTrigger,
    options?: { readonly minLeftMs?: number },
  ) => Promise<RenewalOutcome>
  readonly renewInBackground: (entry: CacheEntry) => void
  readonly steadyMs: () => number
  readonly nowMs: () => number
  readonly sleep: Sleep
  /** How long a caller without a token waits. */
  readonly waitMs: number
  readonly counts: ConnectionCounts
}

/** How long a caller whose token lives waits for a newer one. */
const OVERDUE_WAIT_MS = 5000
/** So often in a row an outage is waited out; afterwards callers learn of it at once. */
const PATIENT_FAILURES = 3
const JUST_ISSUED_MS = 1000
/** Tokens that have expired, or are refused, as soon as they come are not fetched for ever. */
const MOST_RENEWALS = 8

/**
 * A token for a caller whom the one that is there does not serve: it is gone, nearly gone, or too
 * short. Waits for a renewal that others may share; what the caller's signal ends is the wait alone.
 *
 * @throws {TokenUnavailable}
 */
export async function waitForToken(
  entry: CacheEntry,
  wish: TokenWish,
  deps: WaitDeps,
): Promise<ConnectionToken> {
  const { steadyMs, counts } = deps
  const wantedMs = (wish.minValidSeconds ?? 0) * 1000
  const startedMs = steadyMs()
  let hasRenewed = false
  for (let renewals = 0; ; ) {
    wish.signal?.throwIfAborted()
    const now = steadyMs()
    const phase = phaseOf(entry, now)
    const isLong = isLongEnough(entry, now, wantedMs)
    if (phase !== 'expired') {
      const { lifeMs } = entry.token!.windows
      // What lives shorter from the start is not made longer by fetching it again and again.
      const canHelp =
        lifeMs >= wantedMs && !hasRenewed && !isNewlyIssued(lifeMs, leftMsOf(entry, now))
      const isFine = phase === 'fresh' || phase === 'due' || hasRenewed
      if (isFine && (isLong || !canHelp)) {
        if (renewals === 0) counts.hits += 1
        if (phase !== 'fresh') deps.renewInBackground(entry)
        return handOut(entry, wish, isLong, deps)
      }
      if (isHeldBack(entry, now)) return handOut(entry, wish, isLong, deps)
    } else if (isHeldBack(entry, now)) {
      const leftMs = startedMs + deps.waitMs - now
      if (!isWorthWaiting(entry, now, leftMs)) throw unavailable(entry, deps)
      const { untilMs, recheckMs } = entry.failed!
      // Another process may have got one meanwhile.
      await wait(deps.sleep(Math.max(1, Math.min(untilMs, recheckMs) - now)), wish, leftMs, deps)
      continue
    }
    if (renewals === MOST_RENEWALS) {
      throw unavailable(
        entry,
        deps,
        entry.failed?.outcome.failure ?? waitedTooLong(now - startedMs),
      )
    }
    const limitMs = phase === 'expired' ? deps.waitMs : Math.min(deps.waitMs, OVERDUE_WAIT_MS)
    const trigger = triggerOf(entry, phase === 'expired', isLong)
    // Who demands more life is served by no renewal that others began without knowing.
    const isShared = entry.flight !== undefined
    const renewal = deps.renew(entry, trigger, { minLeftMs: isLong ? 0 : wantedMs })
    const outcome = await wait(renewal, wish, startedMs + limitMs - now, deps)
    if (outcome === 'late') {
      if (phaseOf(entry, steadyMs()) === 'expired') {
        // It ended while a newer one was waited for: that is waited for like any first one.
        if (steadyMs() - startedMs < deps.waitMs) continue
        throw unavailable(entry, deps, waitedTooLong(deps.waitMs))
      }
      return handOut(entry, wish, isLongEnough(entry, steadyMs(), wantedMs), deps)
    }
    renewals += 1
    if (outcome.kind === 'token') hasRenewed = !isShared || outcome.isFetched
    if (outcome.kind === 'failed') {
      const isGone = phaseOf(entry, steadyMs()) === 'expired'
      if (!isGone) return handOut(entry, wish, isLongEnough(entry, steadyMs(), wantedMs), deps)
      if (outcome.waitMs === undefined || !passesByItself(outcome.failure)) {
        throw unavailable(entry, deps)
      }
    }
  }
}

/**
 * One that was only issued now is as long as any: who demands the whole life of a token must not
 * cause a request each time.
 */
function isLongEnough(entry: CacheEntry, nowMs: number, wantedMs: number): boolean {
  const leftMs = leftMsOf(entry, nowMs)
  if (leftMs >= wantedMs) return true
  const lifeMs = entry.token?.windows.lifeMs ?? 0
  return leftMs > 0 && lifeMs >= wantedMs && lifeMs - leftMs < JUST_ISSUED_MS
}

/** A token that could have been long enough will be so again. */
function tooShort(
  entry: CacheEntry,
  { minValidSeconds = 0 }: TokenWish,
  { steadyMs, nowMs }: WaitDeps,
): TokenUnavailable {
  const { lifeMs } = entry.token!.windows
  const leftMs = leftMsOf(entry, steadyMs())
  const { name } = entry.target.connection
  const pauseMs = newlyIssuedMs(lifeMs) - (lifeMs - leftMs)
  if (lifeMs < minValidSeconds * 1000 || pauseMs <= 0) {
    return new TokenUnavailable(
      name,
      lifeTooShort(lifeMs / 1000, minValidSeconds),
      Math.ceil(nowMs() / 1000),
    )
  }
  const failure = renewedJustNow(leftMs / 1000, minValidSeconds, Math.ceil(pauseMs / 1000))
  return new TokenUnavailable(name, failure, Math.ceil((nowMs() + pauseMs) / 1000))
}

/** The token that lives, with what is to be said of it. */
function handOut(
  entry: CacheEntry,
  wish: TokenWish,
  isLong: boolean,
  deps: WaitDeps,
): ConnectionToken {
  const { handle } = entry.token!
  const warnings = entry.failed ? ['refresh_failed'] : []
  if (!isLong) {
    if (wish.strict) {
      throw entry.failed ? unavailable(entry, deps) : tooShort(entry, wish, deps)
    }
    warnings.push('shortfall')
  }
  if (warnings.length === 0) return handle
  return { ...handle, warnings: [...handle.warnings, ...warnings] }
}

function triggerOf(entry: CacheEntry, isGone: boolean, isLong: boolean): RenewalTrigger {
  if (!isGone) return isLong ? 'overdue' : 'demanded'
  if (entry.wasRejected) return 'rejected'
  return entry.sinceFence + entry.sinceLocalFence === 0 ? 'cold' : 'expired'
}

/** A short outage is waited out, a known one is not. */
function isWorthWaiting({ failed }: CacheEntry, nowMs: number, leftMs: number): boolean {
  if (failed === undefined) return true
  const { failure, failures } = failed.outcome
  if (!passesByItself(failure) || failures >= PATIENT_FAILURES || leftMs <= 0) return false
  // Where nobody said so, a long wait means that somebody is trying at this moment.
  return failed.untilMs - nowMs < leftMs || failure.retryAfterSeconds === undefined
}

function unavailable(
  { target, failed }: CacheEntry,
  { steadyMs, nowMs }: WaitDeps,
  failure: TokenFailure | undefined = failed?.outcome.failure,
): TokenUnavailable {
  const waitMs = failed === undefined ? 0 : failed.untilMs - steadyMs()
  const nextAt = Number.isFinite(waitMs)
    ? Math.ceil((nowMs() + Math.max(0, waitMs)) / 1000)
    : undefined
  return new TokenUnavailable(target.connection.name, failure!, nextAt)
}

/** Whichever comes first: the outcome, the limit (`late`), or the caller's own signal (throws). */
async function wait<Outcome>(
  outcome: Promise<Outcome>,
  { signal }: TokenWish,
  limitMs: number,
  { sleep, counts }: WaitDeps,
): Promise<Outcome | 'late'> {
  const timer = new AbortController()
  const late = sleep(Math.max(0, limitMs), timer.signal).then(() => 'late' as const)
  late.catch(() => {})
  let stop: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal!.reason)
    signal?.addEventListener('abort', stop)
  })
  counts.waiting += 1
  try {
    return await Promise.race([outcome, late, aborted])
  } finally {
    counts.waiting -= 1
    timer.abort()
    if (stop) signal?.removeEventListener('abort', stop)
  }
}
