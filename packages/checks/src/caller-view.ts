import { findApiReason } from './api-catalogue.ts'
import { findReason } from './catalogue.ts'
import type { AnyCheck } from './check.ts'
import { findFailure } from './check-list.ts'
import { fillTemplate } from './fill-template.ts'
import type { BearerError, IssueType } from './reason.ts'

/** What the caller may know of a refusal. It never depends on data that is hidden from it. */
export interface CallerView {
  /** Missing when the reason is for the operator only. */
  readonly code?: string
  readonly status: number
  readonly text: string
  readonly fix?: string
  readonly issue: IssueType
  readonly oauthError?: BearerError
  /** Whether a `WWW-Authenticate` challenge goes with it. */
  readonly challenged: boolean
}

const ABSENT: CallerView = { status: 404, text: 'not found', issue: 'not-found', challenged: false }

/** A failure without a row of the catalogue: refused, without a word that could tell too much. */
const UNNAMED: CallerView = {
  status: 403,
  text: 'not permitted',
  issue: 'forbidden',
  challenged: false,
}

/**
 * The view of the first failed check. A reason that is for the operator gives the very answer of an
 * instance that was never there. `undefined` when nothing failed.
 */
export function callerView(checks: readonly AnyCheck[]): CallerView | undefined {
  const failure = findFailure(checks)
  if (failure === undefined) return undefined
  const reason = findReason(failure.code) ?? findApiReason(failure.code)
  if (reason === undefined) return UNNAMED
  if (reason.audience === 'operator') return ABSENT
  return {
    code: failure.code!,
    status: reason.status,
    text: fillTemplate(reason.callerText, failure),
    fix: failure.fix ?? fillTemplate(reason.fix, failure),
    issue: reason.issue,
    ...(reason.oauthError === undefined ? {} : { oauthError: reason.oauthError }),
    challenged: reason.status === 401 || reason.oauthError !== undefined,
  }
}
