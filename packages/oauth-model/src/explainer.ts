import type { Check } from '@scopegate/checks'

/** A request to explain: under a token, or under claims as if a token held them. */
export interface ExplainRequest {
  readonly method: string
  /** Path and query: below the base, or with its path or its whole address in front. */
  readonly path: string
  readonly token?: string
  readonly claims?: Readonly<Record<string, unknown>>
  /** Of a create or update. */
  readonly body?: string
}

export interface Explanation {
  readonly allowed: boolean
  /** The status a caller would get. */
  readonly status: number
  /** All checks in order, as the operator may see them. */
  readonly checks: readonly Check[]
  /** What narrows the answer, and scopes that grant nothing, in words. */
  readonly notes: readonly string[]
}

/** Tells what a request would get, without making it. */
export interface Explainer {
  explain(request: ExplainRequest): Promise<Explanation>
}
