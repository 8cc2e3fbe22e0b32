import { errors } from 'oidc-provider'
import { describable, type RefusalReason } from './token/token-refusal.ts'

/** A protocol error that carries our own reason to the trace. */
export function invalidClient(reason: RefusalReason): Error {
  return Object.assign(new errors.InvalidClientAuth(reason.code), { scopegate: reason })
}

export function invalidScope(description: string, reason: RefusalReason): Error {
  return Object.assign(new errors.InvalidScope(description, undefined as never), {
    scopegate: reason,
  })
}

export function invalidTarget(description: string, reason: RefusalReason): Error {
  return Object.assign(new errors.InvalidTarget(description), { scopegate: reason })
}

export function invalidRequest(reason: RefusalReason & { readonly told: string }): Error {
  return Object.assign(new errors.InvalidRequest(describable(reason.told)), { scopegate: reason })
}

export function invalidGrant(reason: RefusalReason & { readonly told: string }): Error {
  return Object.assign(new errors.InvalidGrant(reason.code), {
    error_description: describable(reason.told),
    scopegate: reason,
  })
}

/** @see RFC 8693 §2.2.2: whatever is wrong with a subject token is `invalid_request` */
export function subjectTokenRefused(why: string, fix?: string): Error {
  const told = `the subject token is refused: ${why}${fix === undefined ? '' : `; ${fix}`}`
  return invalidRequest({ code: 'subject_token_refused', got: why, told, ...(fix && { fix }) })
}

/** Not the fault of the client. */
export function temporarilyUnavailable(retryAfterSeconds: number, reason: RefusalReason): Error {
  const error = new errors.OIDCProviderError(503, 'temporarily_unavailable')
  return Object.assign(error, {
    error_description: describable(reason.told ?? ''),
    retryAfterSeconds,
    scopegate: reason,
  })
}

/** @see RFC 8628 §3.5 */
export function slowDown(waitSeconds: number): Error {
  const told = `you are polling too quickly: wait ${waitSeconds} s between two requests`
  return Object.assign(new errors.SlowDown(told), {
    scopegate: { code: 'polled_too_often', told } satisfies RefusalReason,
  })
}

/** @see RFC 6585 §4; OAuth has no code of its own for it */
export function tooManyRequests(retryAfterSeconds: number, reason: RefusalReason): Error {
  const error = new errors.OIDCProviderError(429, 'temporarily_unavailable')
  return Object.assign(error, {
    error_description: reason.told,
    retryAfterSeconds,
    scopegate: reason,
  })
}
