/** Why a token request is refused; every flavour has its own words for each. */
export const TOKEN_PROBLEMS = [
  'parameter_missing',
  'client_unknown',
  'client_public',
  'secret_missing',
  'secret_wrong',
  'secret_expired',
  'assertion_audience',
  'assertion_names',
  'assertion_replayed',
  'assertion_signature',
  'assertion_time',
  'assertion_type',
  'code_invalid',
  'dpop_missing',
  'grant_not_allowed',
  'grant_unsupported',
  'redirect_mismatch',
  'refresh_invalid',
  'refresh_reused',
  'resource_missing',
  'resource_unknown',
  'scope_form',
  'scope_missing',
  'scope_unknown',
  'tenant_missing',
  'verifier_wrong',
] as const

export type TokenProblemKind = (typeof TOKEN_PROBLEMS)[number]

export interface TokenProblem {
  readonly problem: TokenProblemKind
  readonly clientId?: string
  /** What was sent: the scope, the resource, the grant, the name of the parameter. */
  readonly value?: string
  readonly tenant?: string
  /** Epoch seconds. */
  readonly now?: number
  /** What the caller named the request: `client-request-id`. */
  readonly correlationId?: string
}

export interface TokenAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** `[status, error, description]` of each problem. */
export type ProblemTexts = Readonly<
  Record<TokenProblemKind, (problem: Said) => readonly [number, string, string?]>
>

/** A problem whose values can be put into a text. */
export interface Said {
  readonly clientId: string
  readonly value: string
  readonly tenant: string
}

export function said({ clientId = '', value = '', tenant = '' }: TokenProblem): Said {
  return { clientId, value, tenant }
}

/** `refuse` of a flavour whose answers are what RFC 6749 §5.2 says. */
export function refuseWith(texts: ProblemTexts): (problem: TokenProblem) => TokenAnswer {
  return (problem) => {
    const [status, error, error_description] = texts[problem.problem](said(problem))
    return { status, body: { error, error_description } }
  }
}
