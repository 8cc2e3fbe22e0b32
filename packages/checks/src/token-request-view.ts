import { type CallerDetail, comparedBy } from './caller-view.ts'
import { type AnyCheck, TOKEN_REQUEST_CHECKS } from './check.ts'
import { findFailure } from './check-list.ts'
import { findTokenRequestReason } from './token-request-catalogue.ts'

/** What a client may know of a refused token request, beside the OAuth error code. */
export interface TokenRequestView {
  /** For `error_description`; missing with `minimal`, where the error code has to do. */
  readonly description?: string
  /** With `verbose`: what was compared, a line per check. */
  readonly compared?: readonly string[]
}

export interface TokenRequestViewOptions {
  /** The reason in words, as a client reads it with `standard`. */
  readonly told: string
  readonly detail: CallerDetail
  /** Whether the client has shown who it is: by a secret, a key or a certificate. */
  readonly isAuthenticated: boolean
}

const LAST_OF_CLIENT = TOKEN_REQUEST_CHECKS.indexOf('replay')

/**
 * The view of the first failed check. A reason that is for the operator is never named. What was
 * compared is told to a client that was authenticated only: which clients there are, what they are
 * registered for, and why somebody is not one of them, is nobody else's concern.
 */
export function tokenRequestView(
  checks: readonly AnyCheck[],
  { told, detail, isAuthenticated }: TokenRequestViewOptions,
): TokenRequestView {
  if (detail === 'minimal') return {}
  const reason = findTokenRequestReason(findFailure<AnyCheck>(checks)?.code)
  const isOfRequest =
    reason?.audience === 'caller' && TOKEN_REQUEST_CHECKS.indexOf(reason.check) > LAST_OF_CLIENT
  const isTold = detail === 'verbose' && isAuthenticated && isOfRequest
  return { description: told, ...(isTold && { compared: comparedBy(checks) }) }
}
