import { type ApiCheck, failedApi } from '@scopegate/checks'
import { TokenUnavailable } from '@scopegate/oauth-model'
import {
  notNow,
  REFLECTING_METHODS,
  type Upstream,
  type UpstreamFailure,
  unavailability,
} from '@scopegate/upstream'
import type { Api } from './api.ts'
import type { ApiCall, Refusal } from './call.ts'

/** What an upstream did wrong, without a word of what it said. */
export function checkOf(
  { kind, code }: UpstreamFailure,
  api: Pick<Api, 'upstreamOrigin' | 'limits' | 'forward'>,
): ApiCheck {
  const detail = { expected: api.upstreamOrigin, got: code }
  switch (kind) {
    case 'timeout':
      return failedApi('upstream_timeout', detail)
    case 'unreachable':
      return failedApi('upstream_unreachable', detail)
    case 'broken':
      return failedApi('upstream_broken', detail)
    case 'request-too-large':
      return failedApi('request_too_large', { expected: `${api.limits.bodyBytes} bytes` })
    case 'request-too-slow':
      return failedApi('request_too_slow', {
        expected: `${api.limits.bodyBytesPerSecond} bytes per second`,
      })
    case 'busy':
      return failedApi('upstream_busy', { expected: api.upstreamOrigin })
    case 'token-rejected':
      return failedApi('upstream_token_rejected', {
        expected: `connection ${api.forward.tokenOf}`,
        got: code,
      })
  }
}

/** A method that would show the token of a connection to the caller. */
export function refuseReflection({ method, api }: ApiCall): Refusal | undefined {
  if (api.forward.tokenOf === undefined || !REFLECTING_METHODS.has(method)) return undefined
  const expected = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
  return {
    checks: [failedApi('method_not_declared', { expected, got: method })],
    headers: { Allow: expected },
  }
}

/** A body that says itself that it is too large. */
export function refuseLength(length: string | undefined, { limits }: Api): Refusal | undefined {
  if (length === undefined || Number(length) <= limits.bodyBytes) return undefined
  const detail = { expected: `${limits.bodyBytes} bytes`, got: `${length} bytes` }
  return { checks: [failedApi('request_too_large', detail)] }
}

/** An upstream that is left alone for now. */
export function refuseForNow(upstream: Upstream): Refusal | undefined {
  const now = notNow(upstream)
  if (now === undefined) return undefined
  const { kind, seconds } = now
  const detail = { expected: upstream.origin, ...(kind === 'paused' && { got: `${seconds} s` }) }
  return {
    checks: [failedApi(kind === 'busy' ? 'upstream_busy' : 'upstream_paused', detail)],
    headers: { 'Retry-After': String(seconds) },
  }
}

/**
 * The upstream gave no answer that could be passed on. Where it refused a token and there is no
 * other, that there is none is told.
 */
export function refuseUpstream(failure: UpstreamFailure, call: ApiCall, nowMs: number): Refusal {
  const { api, upstreamToken } = call
  const rejection = upstreamToken?.rejection
  return failure.kind === 'token-rejected' && rejection?.kind === 'renewal-failed'
    ? refuseWithoutToken(rejection.error, api, nowMs)
    : { checks: [checkOf(failure, api)], ...headersOf(failure) }
}

/** @see RFC 9110 §15.5.9: a caller that was too slow is not heard any more */
function headersOf({ kind }: UpstreamFailure): Pick<Refusal, 'headers'> | undefined {
  if (kind === 'busy') return { headers: { 'Retry-After': '1' } }
  if (kind === 'request-too-slow') return { headers: { Connection: 'close' } }
  return undefined
}

/** Who calls could not be looked up. */
export function refuseWithoutStorage(): Refusal {
  return { checks: [failedApi('caller_lookup_failed')], headers: { 'Retry-After': '5' } }
}

/** There is no token for the upstream. Callers hear that much; the operator, why. */
export function refuseWithoutToken(error: unknown, { forward }: Api, nowMs: number): Refusal {
  const { status, retryAfterSeconds } = unavailability(error, Math.floor(nowMs / 1000))
  const detail = {
    expected: `connection ${forward.tokenOf}`,
    ...(error instanceof TokenUnavailable && { got: error.failure.code, fix: error.failure.fix }),
  }
  return {
    checks: [
      failedApi(status === 503 ? 'upstream_token_delayed' : 'upstream_token_missing', detail),
    ],
    ...(retryAfterSeconds && { headers: { 'Retry-After': String(retryAfterSeconds) } }),
  }
}
