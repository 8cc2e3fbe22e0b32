import type { RateLimiter } from '@scopegate/authorization-server'
import { type ClientAddress, type Handler, problemResponse, requestFacts } from '@scopegate/http'
import type { Metrics } from './metrics.ts'

export interface FailureLimit {
  /** Told of every refused authentication. */
  readonly count: (request: Request) => void
  /** Turns a 401 of `handler` into 429 while the caller's address has failed too often. */
  guard(handler: Handler): Handler
}

/**
 * Slows down guessing: counts refused tokens by the caller's address. A good token still works from
 * there, since others may share the address; a request without a token guesses nothing.
 */
export function limitFailures(
  limiter: RateLimiter,
  metrics: Metrics,
  addresses: ClientAddress,
): FailureLimit {
  const addressOf = (request: Request) => {
    const { remoteAddress, forwardedFor } = requestFacts(request)
    return addresses.of(remoteAddress, forwardedFor)
  }
  return {
    count(request) {
      metrics.countAuthenticationFailure()
      if (!request.headers.has('authorization')) return
      const address = addressOf(request)
      // Counted while over the limit as well, it would never come down.
      if (limiter.retryAfterSeconds(address) === undefined) limiter.count(address)
    },
    guard: (handler) => async (request) => {
      const response = await handler(request)
      if (response.status !== 401) return response
      const seconds = limiter.retryAfterSeconds(addressOf(request))
      if (seconds === undefined) return response
      await response.body?.cancel()
      return problemResponse(undefined, {
        status: 429,
        detail: 'too many refused tokens came from this address',
        fix: `send a good token; a refused one is looked at again in ${seconds} s`,
        correlationId: response.headers.get('x-request-id') ?? 'none',
        headers: { 'Retry-After': String(seconds) },
      })
    },
  }
}
