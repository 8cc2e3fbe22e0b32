import type { RateLimiter } from '@scopegate/authorization-server'
import { type Handler, problemResponse, requestFacts } from '@scopegate/http'
import type { Metrics } from './metrics.ts'

export interface FailureLimit {
  /** Told of every refused authentication. */
  readonly count: (request: Request) => void
  /** Answers 429 in place of a 401 of `handler` while an address has failed too often. */
  guard(handler: Handler): Handler
}

/**
 * Slows down guessing: counts refused tokens by the peer's address. Good tokens are always
 * answered, or whoever shares an address (a proxy, a hospital) could lock out all others there.
 */
export function limitFailures(limiter: RateLimiter, metrics: Metrics): FailureLimit {
  const addressOf = (request: Request) => requestFacts(request).remoteAddress ?? 'unknown'
  return {
    count(request) {
      metrics.countAuthenticationFailure()
      const address = addressOf(request)
      // Counted while over the limit as well, the first would never come down.
      if (limiter.retryAfterSeconds(address) === undefined) limiter.count(address)
    },
    guard: (handler) => async (request) => {
      const seconds = limiter.retryAfterSeconds(addressOf(request))
      const response = await handler(request)
      if (seconds === undefined || response.status !== 401) return response
      return problemResponse(undefined, {
        status: 429,
        detail: 'too many requests with a refused token came from this address',
        fix: `send a good token, not before ${seconds} s have passed`,
        headers: { 'Retry-After': String(seconds) },
      })
    },
  }
}
