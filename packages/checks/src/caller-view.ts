import { findApiReason } from './api-catalogue.ts'
import { findReason } from './catalogue.ts'
import type { AnyCheck } from './check.ts'
import { completeAnyChecks, findFailure } from './check-list.ts'
import { fillTemplate } from './fill-template.ts'
import { findOutboundReason } from './outbound-catalogue.ts'
import type { BearerError, IssueType } from './reason.ts'

/**
 * How much of a refusal its caller may read. `minimal`: the code alone. `standard`: the reason in
 * words and what to do. `verbose`: also what every check before data compared.
 */
export const CALLER_DETAILS = ['minimal', 'standard', 'verbose'] as const
export type CallerDetail = (typeof CALLER_DETAILS)[number]

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
  /** With `verbose`: what was compared, a line per check. */
  readonly compared?: readonly string[]
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
 * instance that was never there, however much detail is allowed. `undefined` when nothing failed.
 */
export function callerView(
  checks: readonly AnyCheck[],
  detail: CallerDetail = 'standard',
): CallerView | undefined {
  const failure = findFailure(checks)
  if (failure === undefined) return undefined
  const reason =
    findReason(failure.code) ?? findApiReason(failure.code) ?? findOutboundReason(failure.code)
  if (reason === undefined) return UNNAMED
  if (reason.audience === 'operator') return ABSENT
  return {
    code: failure.code!,
    status: reason.status,
    text: detail === 'minimal' ? failure.code! : fillTemplate(reason.callerText, failure),
    ...(detail !== 'minimal' && { fix: failure.fix ?? fillTemplate(reason.fix, failure) }),
    issue: reason.issue,
    ...(reason.oauthError === undefined ? {} : { oauthError: reason.oauthError }),
    challenged: reason.status === 401 || reason.oauthError !== undefined,
    ...(detail === 'verbose' && { compared: comparedBy(checks) }),
  }
}

/** Checks that look at stored data: what they compared is never told, not even of a pass. */
const OF_DATA: ReadonlySet<string> = new Set(['compartment', 'constraint', 'upstream'])

/** A line per check that was made and looks at no stored data: name, outcome, what was compared. */
export function comparedBy(checks: readonly AnyCheck[]): readonly string[] {
  return completeAnyChecks(checks).flatMap(({ name, outcome, expected, got }) => {
    if (outcome === 'skipped' || OF_DATA.has(name)) return []
    const parts = [
      expected !== undefined && `expected ${expected}`,
      got !== undefined && `got ${got}`,
    ].filter((part) => part !== false)
    return [`${name} ${outcome}${parts.length === 0 ? '' : ` (${parts.join(', ')})`}`]
  })
}
