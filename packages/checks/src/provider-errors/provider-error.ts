import type {
  ProviderErrorKind,
  ProviderFinding,
  ProviderName,
  ProviderSignal,
  ProviderStage,
} from './provider-signal.ts'
import type { SignalFact } from './signal-facts.ts'

/** All that is named must hold. Several values in a list: one of them. */
export interface ProviderMatch {
  readonly stage?: ProviderStage
  readonly finding?: ProviderFinding
  /** `AADSTS` numbers. */
  readonly codes?: readonly number[]
  readonly error?: readonly string[]
  /** Looked for in `error_description`, and in `error`. */
  readonly text?: RegExp
  readonly errorUri?: RegExp
  readonly status?: readonly number[]
  readonly nodeCode?: readonly string[]
  readonly fact?: SignalFact
}

/** What a fact that is known here makes of a row: more exact words, or another kind. */
export interface ProviderErrorRefinement {
  readonly if: SignalFact
  readonly kind?: ProviderErrorKind
  readonly cause?: string
  readonly fix?: string
}

/**
 * One way a token request, or the use of a token, can fail. Texts are one sentence without a
 * period; `{clientId}` and the like are filled from the signal.
 */
export interface ProviderErrorRow {
  readonly kind: ProviderErrorKind
  /** Where it is seen. A match by text, number or address counts at every provider. */
  readonly providers: readonly (ProviderName | 'any')[]
  /** One of them must match. */
  readonly when: readonly ProviderMatch[]
  readonly cause: string
  readonly fix: string
  /** The first that holds counts. */
  readonly refine?: readonly ProviderErrorRefinement[]
  /** Signals as they are seen in the wild: each must lead to this row. */
  readonly examples: readonly ProviderSignal[]
}

/** Why it failed and what helps, in words that fit this very failure. */
export interface ProviderError {
  /** The row of the catalogue, in docs/provider-errors.md. */
  readonly code: string
  readonly kind: ProviderErrorKind
  readonly cause: string
  readonly fix: string
}
