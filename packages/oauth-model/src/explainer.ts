import type { AnyCheck, LikelyCause } from '@scopegate/checks'

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
  readonly checks: readonly AnyCheck[]
  /** What narrows the answer, and scopes that grant nothing, in words. */
  readonly notes: readonly string[]
  /** Of the token that was asked about. */
  readonly fingerprint?: string
  /** Its issuer, verified or as the token says. */
  readonly issuer?: string
  /** What the failure likely comes of, with tokens of such an issuer. */
  readonly causes?: readonly LikelyCause[]
  /** Settings of scopegate.yaml that decide it. */
  readonly settings?: readonly string[]
}

/** A request of which nobody has a token yet. */
export interface NeedsRequest {
  readonly method: string
  /** As in {@link ExplainRequest}. */
  readonly path: string
}

/** One way to be permitted: all of these scopes together. */
export interface NeededScopes {
  readonly scopes: readonly string[]
  /** Who gets such scopes, and what they show, in words. */
  readonly what: string
}

/** What a request would need. */
export interface Needs {
  /** Nobody is asked for a token. */
  readonly public: boolean
  /** Each of them is enough; the smallest first. Empty: no scope helps, `notes` say why. */
  readonly scopes: readonly NeededScopes[]
  /** One of these must be in `aud`. */
  readonly audiences: readonly string[]
  /** One of these must have issued it. */
  readonly issuers: readonly string[]
  /** Settings of scopegate.yaml that decide it: `fhir.r4.trust`. */
  readonly settings: { readonly audiences: string; readonly trust: string }
  readonly notes: readonly string[]
}

/** Tells what a request would get, without making it. */
export interface Explainer {
  explain(request: ExplainRequest): Promise<Explanation>
  /** Tells what would be needed for it. Missing: cannot be told. */
  needs?(request: NeedsRequest): Promise<Needs>
}

/** What explains the requests below one address. */
export interface MountedExplainer extends Explainer {
  /** Its public address, without a final slash: `https://gate.example/bank`. */
  readonly url: string
}
