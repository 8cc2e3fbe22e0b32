/** Counts per key that leak away evenly over time. Bounded: the oldest keys are forgotten first. */
interface Bucket {
  level: number
  atMs: number
}

export interface RateLimiter {
  /** Seconds to wait when the key is over its limit; `undefined` when it is not. Counts nothing. */
  retryAfterSeconds(key: string): number | undefined
  /** Counts one. */
  count(key: string): void
}

const MAX_KEYS = 50_000

/** A leaky bucket per key: `perMinute` at once, and refilled evenly. In memory of this process. */
export function createRateLimiter(perMinute: number, nowMs: () => number): RateLimiter {
  const buckets = new Map<string, Bucket>()
  const leakPerMs = perMinute / 60_000

  function levelOf(key: string): number {
    const bucket = buckets.get(key)
    if (bucket === undefined) return 0
    // A clock that was set back must not count as failures.
    const elapsedMs = Math.max(0, nowMs() - bucket.atMs)
    return Math.max(0, bucket.level - elapsedMs * leakPerMs)
  }

  return {
    retryAfterSeconds(key) {
      const over = levelOf(key) - perMinute + 1
      return over > 0 ? Math.max(1, Math.ceil(over / leakPerMs / 1000)) : undefined
    },
    count(key) {
      const level = levelOf(key) + 1
      buckets.delete(key)
      buckets.set(key, { level, atMs: nowMs() })
      if (buckets.size <= MAX_KEYS) return
      const oldest = buckets.keys().next()
      if (!oldest.done) buckets.delete(oldest.value)
    },
  }
}

/** Who asks at the token endpoint, and whether it may ask at all now. */
export interface TokenLimits {
  readonly requestsPerMinute: number
  readonly failuresPerMinute: number
  /** Before the credential is looked at. */
  beforeAuthentication(address: string, clientId: string): number | undefined
  /** The credential was wrong. The seconds to wait, if that was one too many. */
  failed(address: string): number | undefined
  /** The credential was right, at an endpoint that issues nothing and counts no requests. */
  authenticated(address: string, clientId: string): void
  /** The credential was right. The seconds to wait, if the client asks too often. */
  succeeded(address: string, clientId: string): number | undefined
}

export interface TokenLimitsOptions {
  readonly requestsPerMinute: number
  readonly failuresPerMinute: number
  readonly nowMs: () => number
}

const KNOWN_GOOD_MS = 3_600_000
const FLOOD_FACTOR = 10

/**
 * Failures count per address; a client counts only what it was authenticated for. Over the limit a
 * wrong credential is answered 429; over ten times the limit it is not even looked at, except of a
 * client that was right from this address within the hour. So nobody can lock a client out by
 * failing in its place, or from behind the same proxy. Counts live in this process.
 */
export function createTokenLimits(options: TokenLimitsOptions): TokenLimits {
  const { nowMs } = options
  const failures = createRateLimiter(options.failuresPerMinute, nowMs)
  const floods = createRateLimiter(options.failuresPerMinute * FLOOD_FACTOR, nowMs)
  const requests = createRateLimiter(options.requestsPerMinute, nowMs)
  const knownGood = new Map<string, number>()
  const pair = (address: string, clientId: string) => `${address} ${clientId}`

  function authenticated(address: string, clientId: string): void {
    const key = pair(address, clientId)
    knownGood.delete(key)
    knownGood.set(key, nowMs())
    if (knownGood.size > MAX_KEYS) knownGood.delete(knownGood.keys().next().value as string)
  }

  return {
    requestsPerMinute: options.requestsPerMinute,
    failuresPerMinute: options.failuresPerMinute,
    beforeAuthentication(address, clientId) {
      const since = nowMs() - (knownGood.get(pair(address, clientId)) ?? Number.NEGATIVE_INFINITY)
      return since < KNOWN_GOOD_MS ? undefined : floods.retryAfterSeconds(address)
    },
    failed(address) {
      const wait = failures.retryAfterSeconds(address)
      // Counted while over the limit as well, the first would never come down.
      if (wait === undefined) failures.count(address)
      floods.count(address)
      return wait
    },
    authenticated,
    succeeded(address, clientId) {
      authenticated(address, clientId)
      const wait = requests.retryAfterSeconds(clientId)
      if (wait === undefined) requests.count(clientId)
      return wait
    },
  }
}

/** What is said to whom is over the limit of failures: which limit, and what to do. */
export function failureLimitText(waitSeconds: number, perMinute: number): string {
  return `more than ${perMinute} failed client authentications per minute from this address: correct the credential, and wait ${waitSeconds} s; the operator sets limits.authenticationFailuresPerMinute`
}
