import type { FetchedToken } from '../token-request.ts'

/** No token is kept longer, whatever its provider says: a mistake heals within a day. */
const LONGEST_MS = 24 * 3_600_000
const UNKNOWN_LIFE_SECONDS = 300

export interface TokenLifetime {
  /** Since the answer came; 0 or less: it was dead on arrival. */
  readonly lifeMs: number
  readonly warnings: readonly string[]
}

/**
 * How long a token may be used: what the provider said, or less if the token's own `exp` says so;
 * where neither is known, the connection's default. `exp` is by the provider's clock: it is compared
 * by the measured difference, and where no difference is known and it makes no sense, it is not.
 */
export function lifetimeOf(
  token: Pick<FetchedToken, 'expiresInSeconds' | 'jwtExpiresAt' | 'clockSkewSeconds'>,
  { nowMs, defaultSeconds }: { readonly nowMs: number; readonly defaultSeconds: number },
): TokenLifetime {
  const warnings: string[] = []
  const saidMs = positive(token.expiresInSeconds)
  let ownMs: number | undefined
  if (token.jwtExpiresAt !== undefined && Number.isFinite(token.jwtExpiresAt)) {
    ownMs = token.jwtExpiresAt * 1000 - nowMs - (token.clockSkewSeconds ?? 0) * 1000
    if (ownMs <= 0 && token.clockSkewSeconds === undefined) {
      warnings.push('clock_skew_suspected')
      ownMs = undefined
    }
  }
  const known = [saidMs, ownMs].filter((each) => each !== undefined)
  if (known.length === 0) warnings.push('lifetime_unknown')
  const defaultMs = positive(defaultSeconds) ?? UNKNOWN_LIFE_SECONDS * 1000
  const lifeMs = known.length === 0 ? defaultMs : Math.min(...known)
  if (lifeMs > LONGEST_MS) warnings.push('lifetime_capped')
  return { lifeMs: Math.min(lifeMs, LONGEST_MS), warnings }
}

function positive(seconds: number | undefined): number | undefined {
  return seconds !== undefined && Number.isFinite(seconds) && seconds > 0
    ? seconds * 1000
    : undefined
}
