import type { TokenRequestCheckName } from './check.ts'

/** Error codes of the token endpoint. @see RFC 6749 §5.2, RFC 8707 §2 */
export type TokenError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'invalid_target'
  | 'temporarily_unavailable'
  | 'server_error'

/** One way a token request can fail, or a scope of it be left out. `fix` is for the operator. */
export interface TokenRequestReason {
  readonly check: TokenRequestCheckName
  readonly title: string
  readonly meaning: string
  /**
   * `operator`: the caller reads a text that is the same for every client that cannot be
   * authenticated, since the difference would tell who guesses which clients there are.
   */
  readonly audience: 'caller' | 'operator'
  readonly fix: string
  /** HTTP status; missing where the token is issued all the same, without the scope or with less. */
  readonly status?: 400 | 401 | 405 | 429 | 500 | 503
  readonly error?: TokenError
}

const ASSERTION = {
  check: 'credential',
  audience: 'caller',
  status: 401,
  error: 'invalid_client',
} as const
const HIDDEN = { audience: 'operator', status: 401, error: 'invalid_client' } as const
const SCOPE = { check: 'scope', audience: 'caller', status: 400, error: 'invalid_scope' } as const

/** Every reason of the token endpoint, by its code. */
export const TOKEN_REQUEST_CATALOGUE = {
  // ── rate ─────────────────────────────────────────────────────────────────────────────────────
  too_many_requests: {
    check: 'rate',
    title: 'Too many token requests',
    meaning:
      'The client was authenticated, and has asked for more tokens within a minute than `limits.tokenRequestsPerMinute`.',
    audience: 'caller',
    fix: 'use each token until it expires; or raise `limits.tokenRequestsPerMinute`',
    status: 429,
    error: 'temporarily_unavailable',
  },
  too_many_failures: {
    check: 'rate',
    title: 'Flood of failed authentications',
    meaning:
      'From the address came ten times more failures within a minute than `limits.authenticationFailuresPerMinute`: the credential was not looked at. A client that was right from there within the hour is answered all the same.',
    audience: 'caller',
    fix: 'find the client that fails, and correct its credential; or raise `limits.authenticationFailuresPerMinute`',
    status: 429,
    error: 'temporarily_unavailable',
  },

  // ── request ──────────────────────────────────────────────────────────────────────────────────
  method_not_allowed: {
    check: 'request',
    title: 'Not a POST',
    meaning: 'The token endpoint was asked with another method than POST.',
    audience: 'caller',
    fix: 'POST a form with grant_type, client_id, client_secret and scope',
    status: 405,
    error: 'invalid_request',
  },
  request_malformed: {
    check: 'request',
    title: 'Malformed request',
    meaning:
      'The body is no form, a parameter comes twice or is missing, or two ways of authentication are mixed.',
    audience: 'caller',
    fix: 'send a form (application/x-www-form-urlencoded) with each parameter once',
    status: 400,
    error: 'invalid_request',
  },
  several_authorization_headers: {
    check: 'request',
    title: 'Several Authorization headers',
    meaning: 'More than one Authorization header came; which one counts would be a guess.',
    audience: 'caller',
    fix: 'send one Authorization header (a proxy on the way may be adding its own)',
    status: 400,
    error: 'invalid_request',
  },
  storage_unavailable: {
    check: 'request',
    title: 'Database not available',
    meaning: 'The server could not use its database, so the client was not looked up.',
    audience: 'caller',
    fix: 'try again; the log of the server says what is wrong with the database',
    status: 503,
    error: 'temporarily_unavailable',
  },
  server_error: {
    check: 'request',
    title: 'The server failed',
    meaning: 'The server made a mistake. Its log has the details under the correlation id.',
    audience: 'caller',
    fix: 'see the log of the server under the correlation id',
    status: 500,
    error: 'server_error',
  },

  // ── client ───────────────────────────────────────────────────────────────────────────────────
  client_unknown: {
    ...HIDDEN,
    check: 'client',
    title: 'Unknown client',
    meaning: 'No client has the `client_id` of the request.',
    fix: 'compare the client_id with `scopegate client list`',
  },
  client_disabled: {
    ...HIDDEN,
    check: 'client',
    title: 'Client disabled',
    meaning: 'The client is registered, but disabled.',
    fix: 'enable the client, or remove it',
  },
  client_authentication_method: {
    ...HIDDEN,
    check: 'client',
    title: 'Other way of authentication',
    meaning:
      'The client authenticated in another way than it is registered for: with a secret though it has keys, or the reverse.',
    fix: 'send a secret if the client has one, a signed assertion if it has keys; see `scopegate client show`',
  },

  // ── credential ───────────────────────────────────────────────────────────────────────────────
  credential_refused: {
    ...HIDDEN,
    check: 'credential',
    title: 'Credential refused',
    meaning: 'The client could not be authenticated, for a reason that has no row of its own.',
    fix: 'compare the credential with the registration of the client',
  },
  secret_wrong: {
    ...HIDDEN,
    check: 'credential',
    title: 'Wrong secret',
    meaning: 'The secret is none of those that the client has.',
    fix: 'compare what the client sends, or make a new secret with `scopegate client rotate-secret`',
  },
  secret_expired: {
    ...HIDDEN,
    check: 'credential',
    title: 'Expired secret',
    meaning: 'The secret was replaced, and the time for which the old one still worked is over.',
    fix: 'use the newest secret; the old one was valid for a while after the change',
  },
  assertion_key_unknown: {
    ...HIDDEN,
    check: 'credential',
    title: 'Unknown key',
    meaning: 'No key of the client has the `kid` and algorithm of the assertion.',
    fix: 'register the key with this `kid` and algorithm, or sign with a registered one',
  },
  assertion_signature: {
    ...HIDDEN,
    check: 'credential',
    title: 'Bad signature',
    meaning: 'The signature of the assertion does not fit the registered key.',
    fix: 'sign with the private key that belongs to the registered public one',
  },
  client_keys_unavailable: {
    ...ASSERTION,
    title: 'Key set of the client not available',
    meaning: 'The key set of the client could not be read from its registered URL.',
    fix: 'make the registered URL answer this server with a JWK Set of public keys, each with its own `kid`',
  },
  assertion_algorithm: {
    ...ASSERTION,
    title: 'Algorithm not allowed',
    meaning: 'The `alg` of the assertion is not accepted. Symmetric ones never are.',
    fix: 'sign with RS384 or ES384',
  },
  assertion_typ: {
    ...ASSERTION,
    title: 'Wrong type of assertion',
    meaning: 'The `typ` of the assertion is neither JWT nor client-authentication+jwt.',
    fix: 'set `typ` to JWT',
  },
  assertion_kid_missing: {
    ...ASSERTION,
    title: 'No key id',
    meaning: 'The header of the assertion has no `kid`.',
    fix: 'set `kid` to the id of the key as it stands in the key set',
  },
  assertion_jku: {
    ...ASSERTION,
    title: 'Other key set URL',
    meaning: 'The assertion names a `jku` that is not the registered key set URL.',
    fix: 'leave `jku` out, or set it to the registered key set URL',
  },
  assertion_subject: {
    ...ASSERTION,
    title: 'Wrong issuer or subject',
    meaning: '`iss` and `sub` of the assertion are not both the client_id.',
    fix: 'set `iss` and `sub` to the client_id',
  },
  assertion_audience: {
    ...ASSERTION,
    title: 'Assertion for somebody else',
    meaning: 'The `aud` of the assertion is not this token endpoint, or names others as well.',
    fix: 'set `aud` to the address of the token endpoint',
  },
  assertion_exp_missing: {
    ...ASSERTION,
    title: 'No expiry',
    meaning: 'The assertion has no `exp`, or one that is no number.',
    fix: 'set `exp` to now + 60 s',
  },
  assertion_expired: {
    ...ASSERTION,
    title: 'Assertion expired',
    meaning: 'The `exp` of the assertion has passed, by more than the clock tolerance.',
    fix: 'make a new assertion for every request, and compare the clocks',
  },
  assertion_lives_too_long: {
    ...ASSERTION,
    title: 'Assertion lives too long',
    meaning: 'The `exp` of the assertion is more than five minutes ahead.',
    fix: 'set `exp` to now + 60 s',
  },
  assertion_iat: {
    ...ASSERTION,
    title: 'Issued in the future',
    meaning: 'The `iat` of the assertion has not come, or is missing where it is required.',
    fix: 'set `iat` to the present time in seconds, and compare the clocks',
  },
  assertion_nbf: {
    ...ASSERTION,
    title: 'Not yet valid',
    meaning: 'The `nbf` of the assertion has not come.',
    fix: 'set `nbf` to the present time in seconds, and compare the clocks',
  },
  assertion_jti: {
    ...ASSERTION,
    title: 'No usable jti',
    meaning: 'The assertion has no `jti`, or one of more than 256 characters.',
    fix: 'set `jti` to a new random value for every request',
  },

  // ── replay ───────────────────────────────────────────────────────────────────────────────────
  assertion_replayed: {
    check: 'replay',
    title: 'Assertion used before',
    meaning: 'The assertion got a token before. Each works once.',
    audience: 'caller',
    fix: 'make a new assertion, with a new `jti`, for every request',
    status: 401,
    error: 'invalid_client',
  },

  // ── grant_type ───────────────────────────────────────────────────────────────────────────────
  grant_unsupported: {
    check: 'grant_type',
    title: 'Grant type not supported',
    meaning: 'The server does not know the `grant_type`.',
    audience: 'caller',
    fix: 'use grant_type=client_credentials',
    status: 400,
    error: 'unsupported_grant_type',
  },
  grant_not_registered: {
    check: 'grant_type',
    title: 'Grant type not registered',
    meaning: 'The client is not registered for this grant type.',
    audience: 'caller',
    fix: 'register the client for this grant type',
    status: 400,
    error: 'unauthorized_client',
  },

  // ── resource ─────────────────────────────────────────────────────────────────────────────────
  resource_unknown: {
    check: 'resource',
    title: 'Unknown resource',
    meaning: '`resource` (or `aud`) names no API that tokens are issued for here.',
    audience: 'caller',
    fix: 'set `resource` (or `aud`) to the base URL of the API, or leave it out',
    status: 400,
    error: 'invalid_target',
  },

  // ── scope ────────────────────────────────────────────────────────────────────────────────────
  scope_malformed: {
    ...SCOPE,
    title: 'Malformed scope parameter',
    meaning: '`scope` holds characters that a scope cannot have.',
    fix: 'separate scopes by one space',
  },
  scope_not_evaluable: {
    ...SCOPE,
    title: 'Scope cannot be evaluated',
    meaning:
      'A scope is misspelt, or holds a constraint that cannot be evaluated exactly. It is left out; if nothing is left, the request is refused.',
    fix: 'correct the scope: permissions in the order `cruds`, an R4 resource type, search parameters that the type has',
  },
  scope_needs_user: {
    ...SCOPE,
    title: 'Scope of a user',
    meaning:
      'A scope such as `user/…`, `patient/…` or `openid` acts for a signed-in user, and client credentials have none.',
    fix: 'ask for the `system/` scope, or sign a user in',
  },
  scope_not_registered: {
    ...SCOPE,
    title: 'Scope not registered',
    meaning:
      'The client is not registered for a scope. It is left out; if nothing is left, the request is refused.',
    fix: 'ask for scopes within those of the client; see `scopegate client show`',
  },
  scope_unknown: {
    ...SCOPE,
    title: 'Unknown scope',
    meaning:
      'The server has no such scope. It is left out; if nothing is left, the request is refused.',
    fix: 'see `scopes_supported` in .well-known/smart-configuration',
  },
  scope_of_other_resource: {
    ...SCOPE,
    title: 'Scope of another API',
    meaning: 'A token is for one API, and the scope belongs to another.',
    fix: 'set `resource` to the API that the scopes are for',
  },
  scope_narrowed: {
    check: 'scope',
    title: 'Less granted than asked for',
    meaning: 'The client is registered for a part of the scope; that part is granted.',
    audience: 'caller',
    fix: 'ask for scopes within those of the client; see `scopegate client show`',
  },
} as const satisfies Record<string, TokenRequestReason>

export type TokenRequestReasonCode = keyof typeof TOKEN_REQUEST_CATALOGUE

/** The row of `code`; `undefined` when there is none. Inherited names are never found. */
export function findTokenRequestReason(code: string | undefined): TokenRequestReason | undefined {
  return code !== undefined && Object.hasOwn(TOKEN_REQUEST_CATALOGUE, code)
    ? TOKEN_REQUEST_CATALOGUE[code as TokenRequestReasonCode]
    : undefined
}
