import type { RateLimiter } from '@scopegate/authorization-server'
import { type Handler, problemResponse, requestFacts } from '@scopegate/http'
import type { Metrics } from './metrics.ts'

export interface FailureLimit {
  /** Told of every refused authentication. */
  readonly count: (request: Request) => void
  /** Answers 429 in place of `handler` while an address has failed too often. */
  guard(handler: Handler): Handler
}

/** Slows down guessing: counts refused tokens by the peer's address. */
export function limitFailures(limiter: RateLimiter, metrics: Metrics): FailureLimit {
  const addressOf = (request: Request) => requestFacts(request).remoteAddress ?? 'unknown'
  return {
    count(request) {
      metrics.countAuthenticationFailure()
      limiter.count(addressOf(request))
    },
    guard: (handler) => (request) => {
      const seconds = limiter.retryAfterSeconds(addressOf(request))
      if (seconds === undefined) return handler(request)
      return problemResponse(undefined, {
        status: 429,
        detail: 'too many requests with a refused token came from this address',
        fix: `send a good token, not before ${seconds} s have passed`,
        headers: { 'Retry-After': String(seconds) },
      })
    },
  }
}
