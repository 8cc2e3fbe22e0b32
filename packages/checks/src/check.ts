/** The checks of one decision, in the order in which they are made. */
export const CHECK_ORDER = [
  'token_present',
  'format',
  'issuer_known',
  'algorithm',
  'key',
  'signature',
  'type',
  'times',
  'audience',
  'binding',
  'revocation',
  'scopes',
  'interaction',
  'context',
  'compartment',
  'constraint',
] as const

export type CheckName = (typeof CHECK_ORDER)[number]
export type CheckOutcome = 'pass' | 'fail' | 'skipped'

/**
 * One step of a decision, as a value. `code` is set when the check failed and names a row of the
 * catalogue; `expected`, `got` and `fix` are plain text without tokens, secrets or patient data.
 */
export interface Check {
  readonly name: CheckName
  readonly outcome: CheckOutcome
  /** A row of the catalogue (see catalogue.ts); only on `fail`. */
  readonly code?: string
  readonly expected?: string
  readonly got?: string
  readonly fix?: string
}
