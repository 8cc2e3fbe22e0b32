import type { TraceOutcome } from '@scopegate/audit'
import { type Check, callerView, operationOutcome } from '@scopegate/checks'
import type { Call } from './call.ts'
import { type ChallengeOptions, challengeOf } from './challenge.ts'

/**
 * An answer before it becomes a `Response`: a batch puts it into an entry, everything else onto the
 * wire. What belongs to every answer (security, CORS, correlation id) is added at the end.
 */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** JSON text; `null` for none. */
  readonly body: string | null
  readonly outcome: TraceOutcome
  /** Resources in the answer, for the audit. */
  readonly count: number
  /** Instant of the version that the answer is about, as in `meta.lastUpdated`. */
  readonly lastUpdated?: string
  /** What only the operator may see, such as why an instance counts as absent. */
  readonly checks?: readonly Check[]
}

/** Codes of FHIR's IssueType that answers use. @see https://hl7.org/fhir/R4/valueset-issue-type.html */
export type IssueCode =
  | 'structure'
  | 'invalid'
  | 'value'
  | 'required'
  | 'invariant'
  | 'not-found'
  | 'not-supported'
  | 'deleted'
  | 'conflict'
  | 'duplicate'
  | 'too-long'
  | 'too-costly'
  | 'transient'
  | 'no-store'
  | 'exception'
  | 'forbidden'
  | 'processing'
  | 'code-invalid'
  | 'informational'

export interface Issue {
  readonly code: IssueCode
  readonly text: string
  readonly fix?: string
  /** FHIRPath-like place in the submitted resource. */
  readonly expression?: string
  readonly severity?: 'error' | 'warning' | 'information'
}

/** An OperationOutcome that says what is wrong with the request, as text. */
export function outcomeText(call: Pick<Call, 'correlationId'>, issues: readonly Issue[]): string {
  return JSON.stringify({
    resourceType: 'OperationOutcome',
    issue: issues.map((issue) => ({
      severity: issue.severity ?? 'error',
      code: issue.code,
      details: { text: issue.text },
      diagnostics: [
        ...(issue.fix === undefined ? [] : [`to do: ${issue.fix}`]),
        `correlation id ${call.correlationId}`,
      ].join('; '),
      ...(issue.expression === undefined ? {} : { expression: [issue.expression] }),
    })),
  })
}

/** The request cannot be carried out as it is; nothing about permissions. */
export function faultReply(
  call: Call,
  status: number,
  issues: Issue | readonly Issue[],
  headers: Readonly<Record<string, string>> = {},
): Reply {
  return {
    status,
    headers,
    body: outcomeText(call, 'code' in issues ? [issues] : issues),
    outcome: status >= 500 ? 'failed' : status === 404 || status === 410 ? 'absent' : 'refused',
    count: 0,
  }
}

/**
 * Not there, or hidden: the same text for both. The id is not repeated, so that two such answers
 * differ in nothing but the correlation id.
 */
export function absentReply(call: Call, checks: readonly Check[]): Reply {
  return {
    ...faultReply(call, 404, {
      code: 'not-found',
      text: 'there is no such resource',
      fix: 'check the type and the id',
    }),
    checks,
  }
}

export interface RefusalOptions extends ChallengeOptions {
  /** There were too many failures. */
  readonly retryAfterSeconds?: number
}

/** Refused by a check: status, challenge and outcome follow from the first failure. */
export function refusedReply(call: Call, checks: readonly Check[], options: RefusalOptions): Reply {
  const view = callerView(checks)
  if (view === undefined || view.status === 404) return absentReply(call, checks)
  const { retryAfterSeconds, ...challenged } = options
  const { callers } = options
  const challenge = challengeOf(call, checks, challenged)
  const wait = retryAfterSeconds ?? (view.status === 503 ? 5 : undefined)
  return {
    status: view.status,
    headers: {
      ...(challenge === undefined ? {} : { 'WWW-Authenticate': challenge }),
      ...(wait === undefined ? {} : { 'Retry-After': String(wait) }),
    },
    body: JSON.stringify(
      operationOutcome(checks, {
        correlationId: call.correlationId,
        ...(callers === undefined ? {} : { callers }),
      }),
    ),
    outcome: view.status >= 500 ? 'failed' : 'refused',
    count: 0,
    checks,
  }
}
