import type { RateLimiter } from '@scopegate/authorization-server'
import {
  type ClientAddress,
  type CountFailure,
  type Handler,
  problemResponse,
  requestFacts,
  tooManyFailures,
} from '@scopegate/http'
import type { Metrics } from './metrics.ts'

export interface FailureLimit {
  /** Told of every refused authentication. */
  readonly count: (request: Request) => void
  /** The same for what answers without a `Response`. */
  readonly countIncoming: CountFailure
  /** Turns a 401 of `handler` into 429 while the caller's address has failed too often. */
  guard(handler: Handler): Handler
}

/** The second one is that of callers of the sidecar. */
const CREDENTIALS = ['authorization', 'scopegate-authorization']

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
  function countAt(address: string): void {
    // Counted while over the limit as well, it would never come down.
    if (limiter.retryAfterSeconds(address) === undefined) limiter.count(address)
  }
  return {
    count(request) {
      metrics.countAuthenticationFailure()
      if (request.headers.has('authorization')) countAt(addressOf(request))
    },
    countIncoming(request) {
      metrics.countAuthenticationFailure()
      if (!CREDENTIALS.some((name) => name in request.headers)) return undefined
      const address = addresses.ofIncoming(request)
      countAt(address)
      return limiter.retryAfterSeconds(address)
    },
    guard: (handler) => async (request) => {
      const response = await handler(request)
      if (response.status !== 401) return response
      const seconds = limiter.retryAfterSeconds(addressOf(request))
      if (seconds === undefined) return response
      await response.body?.cancel()
      const correlationId = response.headers.get('x-request-id') ?? 'none'
      return problemResponse(undefined, tooManyFailures(seconds, correlationId))
    },
  }
}
