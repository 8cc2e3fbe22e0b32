import type { CheckName } from './check.ts'

/** `IssueType` codes of FHIR R4 that a refusal uses. @see https://hl7.org/fhir/R4/valueset-issue-type.html */
export type IssueType =
  | 'login'
  | 'expired'
  | 'forbidden'
  | 'security'
  | 'not-found'
  | 'deleted'
  | 'not-supported'
  | 'invalid'
  | 'required'
  | 'conflict'
  | 'throttled'
  | 'too-costly'
  | 'transient'

/** Error codes of a challenge. @see RFC 6750 §3.1, RFC 9449 §7.1 */
export type BearerError =
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'

/**
 * One way a request can fail. Texts may hold `{expected}` and `{got}`, which are filled from the
 * check. `callerText` is what the caller reads; a row with `audience: 'operator'` is about data the
 * caller may not know of, and is never shown to it.
 */
export interface Reason {
  readonly check: CheckName
  readonly title: string
  readonly meaning: string
  readonly audience: 'caller' | 'operator'
  readonly callerText: string
  readonly fix: string
  /** HTTP status of the refusal. */
  readonly status: 400 | 401 | 403 | 404 | 429 | 503
  /** Missing: the challenge carries no error (no token was sent), or there is no challenge. */
  readonly oauthError?: BearerError
  readonly issue: IssueType
}
