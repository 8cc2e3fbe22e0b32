/** The checks of a token, wherever it is sent. */
const TOKEN_CHECKS = [
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
] as const

/** The checks of one decision, in the order in which they are made. */
export const CHECK_ORDER = [
  ...TOKEN_CHECKS,
  'scopes',
  'interaction',
  'context',
  'compartment',
  'constraint',
] as const

/** A password in place of a token is checked where the token would have been. */
export type CheckName = (typeof CHECK_ORDER)[number] | 'password'

/** The same where a password was checked; lists without one leave it out. */
export const PASSWORD_CHECK_ORDER: readonly CheckName[] = CHECK_ORDER.flatMap((name) =>
  name === 'scopes' ? (['password', name] as const) : [name],
)

/**
 * The checks of one request for authorization or for a token, in their order. No name is in two
 * lists.
 */
export const TOKEN_REQUEST_CHECKS = [
  'rate',
  'request',
  'client',
  'credential',
  'replay',
  'grant_type',
  'proof',
  'grant',
  'resource',
  'scope',
  'user',
] as const

export type TokenRequestCheckName = (typeof TOKEN_REQUEST_CHECKS)[number]

/** The checks of one sign-in at another provider, in their order. */
export const LOGIN_CHECKS = [
  'provider',
  'state',
  'response',
  'code',
  'id_token',
  'tenant',
  'userinfo',
] as const

export type LoginCheckName = (typeof LOGIN_CHECKS)[number]

/**
 * The checks of one request to an ordinary API or web app: those of its credentials as everywhere,
 * then what the declaration of the API asks.
 */
export const API_CHECKS = [
  ...TOKEN_CHECKS,
  'password',
  'session',
  'route',
  'scopes',
  'roles',
  'upstream',
] as const satisfies readonly (CheckName | 'session' | 'route' | 'roles' | 'upstream')[]

export type ApiCheckName = (typeof API_CHECKS)[number]

/**
 * The checks of one request to the forward sidecar: where it comes from, who calls (not on
 * loopback), where it goes.
 */
export const OUTBOUND_CHECKS = ['place', ...TOKEN_CHECKS, 'caller', 'route', 'upstream'] as const

export type OutboundCheckName = (typeof OUTBOUND_CHECKS)[number]

export type CheckOutcome = 'pass' | 'fail' | 'skipped'

/**
 * One step of a decision, as a value. `code` is set when the check failed and names a row of the
 * catalogue; `expected`, `got` and `fix` are plain text without tokens, secrets or patient data.
 */
export interface Check<Name extends string = CheckName> {
  readonly name: Name
  readonly outcome: CheckOutcome
  /** A row of the catalogue; only on `fail`. */
  readonly code?: string
  readonly expected?: string
  readonly got?: string
  readonly fix?: string
}

/** A step of a token request. */
export type TokenRequestCheck = Check<TokenRequestCheckName>

/** A step of a sign-in at another provider. */
export type LoginCheck = Check<LoginCheckName>

/** A step of a request to an ordinary API. */
export type ApiCheck = Check<ApiCheckName>

/** A step of a request to the forward sidecar. */
export type OutboundCheck = Check<OutboundCheckName>

/** A step of any decision. A list holds steps of one kind. */
export type AnyCheck = Check<
  CheckName | TokenRequestCheckName | LoginCheckName | ApiCheckName | OutboundCheckName
>
