/** When a token is renewed, in milliseconds since its life began. */
export interface TokenWindows {
  /** From then on it is renewed in the background. */
  readonly softMs: number
  /** From then on callers wait for the renewal. */
  readonly hardMs: number
  /** From then on it is not handed out. */
  readonly lifeMs: number
}

export type TokenPhase = 'fresh' | 'due' | 'overdue' | 'expired'

const SHORT_LIFE_MS = 60_000
const JITTER = 0.1

/**
 * Renewal is due `clamp(20 % of the life, 30 s, 10 min)` before the end, and callers wait for it from
 * `clamp(5 %, 5 s, 60 s)` before the end; tokens that live for less than a minute: 50 % and 20 %.
 *
 * @param options.refreshInMs when the provider wants it renewed, if it says so and it is earlier
 * @param options.jitter -1 to 1: moves the first point by up to 10 % of its distance from the end, so
 *   that processes do not all come at once
 */
export function windowsOf(
  lifeMs: number,
  { refreshInMs, jitter = 0 }: { readonly refreshInMs?: number; readonly jitter?: number } = {},
): TokenWindows {
  const isShort = lifeMs < SHORT_LIFE_MS
  const soft = isShort ? lifeMs * 0.5 : clamp(lifeMs * 0.2, 30_000, 600_000)
  const hard = isShort ? lifeMs * 0.2 : clamp(lifeMs * 0.05, 5000, 60_000)
  const jitterMs = soft * JITTER * clamp(jitter, -1, 1)
  const hardMs = lifeMs - hard
  const usualMs = lifeMs - soft + jitterMs
  const wantedMs =
    refreshInMs !== undefined && refreshInMs > 0 && refreshInMs < lifeMs - soft
      ? Math.max(refreshInMs + jitterMs, refreshInMs * (1 - JITTER))
      : usualMs
  return { softMs: Math.min(wantedMs, hardMs), hardMs, lifeMs }
}

/** @param ageMs how long the token has lived */
export function phaseAt(windows: TokenWindows, ageMs: number): TokenPhase {
  if (ageMs >= windows.lifeMs) return 'expired'
  if (ageMs >= windows.hardMs) return 'overdue'
  return ageMs >= windows.softMs ? 'due' : 'fresh'
}

const LEAST_DEMANDED_MS = 1000
const MOST_DEMANDED_MS = 30_000

/**
 * So long after its issue is a token not replaced because a caller demands more life than it has
 * left: who always demands nearly all of it would cause a request each time. 1 % of the life, 1 s to
 * 30 s.
 */
export function isNewlyIssued(lifeMs: number, leftMs: number): boolean {
  return lifeMs - leftMs < newlyIssuedMs(lifeMs)
}

/** How long that is. */
export function newlyIssuedMs(lifeMs: number): number {
  return clamp(lifeMs * 0.01, LEAST_DEMANDED_MS, MOST_DEMANDED_MS)
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high)
}
