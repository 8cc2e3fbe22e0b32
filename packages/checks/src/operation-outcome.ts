import { type CallerDetail, callerView } from './caller-view.ts'
import type { Check } from './check.ts'
import type { IssueType } from './reason.ts'

/** Where the reason codes of the outcomes are listed: docs/errors.md. */
export const REASON_SYSTEM = 'urn:scopegate:reason'

export interface OperationOutcome {
  readonly resourceType: 'OperationOutcome'
  readonly issue: readonly OutcomeIssue[]
}
export interface OutcomeIssue {
  readonly severity: 'error'
  readonly code: IssueType
  readonly details: {
    readonly coding?: readonly { readonly system: string; readonly code: string }[]
    readonly text: string
  }
  readonly diagnostics?: string
}

/**
 * The refusal as the caller may see it: the reason, what to do, and the id under which the operator
 * finds the rest. Reasons that are for the operator only become `not-found`, the same for a hidden
 * instance and for one that was never there.
 *
 * @param detail Replaces the text of an absent instance; must not depend on hidden data.
 * @param callers How much the caller may read; default `standard`.
 * @see https://hl7.org/fhir/R4/operationoutcome.html
 */
export function operationOutcome(
  checks: readonly Check[],
  {
    correlationId,
    detail,
    callers,
  }: {
    readonly correlationId?: string
    readonly detail?: string
    readonly callers?: CallerDetail
  } = {},
): OperationOutcome {
  const view = callerView(checks, callers)
  const text = view?.code === undefined ? (detail ?? view?.text ?? 'refused') : view.text
  const diagnostics = [
    view?.fix && `to do: ${view.fix}`,
    detail !== undefined && view?.code !== undefined && detail,
    view?.compared && view.compared.length > 0 && `checked: ${view.compared.join(', ')}`,
    correlationId && `correlation id ${correlationId}`,
  ].filter((part) => typeof part === 'string' && part !== '')
  return {
    resourceType: 'OperationOutcome',
    issue: [
      {
        severity: 'error',
        code: view?.issue ?? 'forbidden',
        details: {
          ...(view?.code === undefined
            ? {}
            : { coding: [{ system: REASON_SYSTEM, code: view.code }] }),
          text,
        },
        ...(diagnostics.length === 0 ? {} : { diagnostics: diagnostics.join('; ') }),
      },
    ],
  }
}
