import type { TokenRequestCheckName } from './check.ts'

/**
 * Error codes of the authorization and the token endpoint.
 *
 * @see RFC 6749 §4.1.2.1 and §5.2, RFC 8707 §2, RFC 8628 §3.5, RFC 9449 §5, OpenID Connect Core §3.1.2.6
 */
export type TokenError =
  | 'access_denied'
  | 'consent_required'
  | 'expired_token'
  | 'invalid_dpop_proof'
  | 'invalid_redirect_uri'
  | 'invalid_request_object'
  | 'invalid_request_uri'
  | 'login_required'
  | 'slow_down'
  | 'unsupported_response_type'
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

const REQUEST = {
  check: 'request',
  audience: 'caller',
  status: 400,
  error: 'invalid_request',
} as const
const GRANT = { check: 'grant', audience: 'caller', status: 400, error: 'invalid_grant' } as const
const USER = { check: 'user', audience: 'caller', status: 400 } as const

/** Every reason of the authorization and the token endpoint, by its code. */
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
  pkce_missing: {
    ...REQUEST,
    title: 'No PKCE',
    meaning:
      'The authorization request has no `code_challenge`, or another `code_challenge_method` than S256.',
    fix: 'send `code_challenge` and `code_challenge_method=S256`; every OAuth library can',
  },
  response_type_unsupported: {
    ...REQUEST,
    title: 'Response type not supported',
    meaning: 'The authorization request asks for something else than a code.',
    fix: 'send `response_type=code`',
    error: 'unsupported_response_type',
  },
  request_object_refused: {
    ...REQUEST,
    title: 'Request object refused',
    meaning:
      'The signed request object, or the `request_uri` of a pushed request, cannot be used: badly signed, expired, used before or of another client.',
    fix: 'push the request again, or sign it with a registered key; each `request_uri` works once and for a minute',
    error: 'invalid_request_object',
  },
  interaction_lost: {
    ...REQUEST,
    title: 'Sign-in not found',
    meaning:
      'The browser came back to a sign-in that has expired, was finished, or belongs to another browser.',
    fix: 'start again from the app; cookies of this server must be allowed',
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

  redirect_uri_unknown: {
    check: 'client',
    title: 'Redirect URI not registered',
    meaning:
      'The `redirect_uri` is missing or is none of the client, compared character by character. The browser is not sent there.',
    audience: 'caller',
    fix: 'register the `redirect_uri` exactly as the app sends it',
    status: 400,
    error: 'invalid_redirect_uri',
  },

  client_unnamed: {
    check: 'client',
    title: 'Nobody asks',
    meaning:
      'The introspection or revocation endpoint was asked without a client: no client_id, secret, assertion or bearer token.',
    audience: 'caller',
    fix: 'authenticate as at the token endpoint; for introspection a bearer token with the scope `introspect` does too',
    status: 401,
    error: 'invalid_client',
  },
  client_not_confidential: {
    check: 'client',
    title: 'Public client at a protected endpoint',
    meaning:
      'A client without secret and keys asked for introspection. Anybody can send its client_id.',
    audience: 'caller',
    fix: 'use a confidential client, or a bearer token with the scope `introspect`',
    status: 401,
    error: 'invalid_client',
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
    fix: 'use authorization_code, refresh_token, client_credentials or the device code',
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

  // ── proof ────────────────────────────────────────────────────────────────────────────────────
  dpop_refused: {
    check: 'proof',
    title: 'DPoP proof refused',
    meaning:
      'The DPoP proof is missing though the client must send one, or is for another method or address, too old, used before, or without the nonce that was asked for.',
    audience: 'caller',
    fix: 'make a new proof for every request, with the `DPoP-Nonce` of the last answer',
    status: 400,
    error: 'invalid_dpop_proof',
  },

  // ── grant ────────────────────────────────────────────────────────────────────────────────────
  code_refused: {
    ...GRANT,
    title: 'Code refused',
    meaning:
      'The authorization code does not exist or has expired (after a minute), belongs to another client, or came with another `redirect_uri` or `code_verifier` than it was asked for.',
    fix: 'send the code at once, with the `redirect_uri` and the `code_verifier` of the request that got it',
  },
  code_reused: {
    ...GRANT,
    title: 'Code used twice',
    meaning:
      'The code got tokens before. Somebody may have stolen it: all tokens of it have ended.',
    fix: 'let the app send each code once; then launch it again',
  },
  refresh_token_refused: {
    ...GRANT,
    title: 'Refresh token refused',
    meaning:
      'The refresh token does not exist or has expired, belongs to another client or DPoP key, or its grant has ended.',
    fix: 'keep the newest refresh token of each answer; if it is lost, launch the app again',
  },
  refresh_token_reused: {
    ...GRANT,
    title: 'Refresh token used twice',
    meaning:
      'A refresh token was used again after a newer one had been given out. Somebody may have stolen it: all tokens of the grant have ended.',
    fix: 'let the app keep the newest refresh token, and refresh in one place; then launch it again',
  },
  grant_revoked: {
    ...GRANT,
    title: 'Grant has ended',
    meaning:
      'What the user allowed was revoked by the user or an operator, has expired, or was allowed as another person in the FHIR data.',
    fix: 'launch the app again',
  },
  session_over: {
    ...GRANT,
    title: 'Session has ended',
    meaning:
      'The refresh token came with `online_access`, which lasts only while the user is signed in.',
    fix: 'launch the app again, or ask for `offline_access`',
  },
  user_disabled: {
    ...GRANT,
    title: 'User disabled or removed',
    meaning: 'The user who allowed this may no longer sign in.',
    fix: 'enable the user with `scopegate user enable`',
  },
  device_code_refused: {
    ...GRANT,
    title: 'Device code refused',
    meaning: 'The device code does not exist, has expired, or was used before.',
    fix: 'start the device flow again',
  },
  polled_too_often: {
    ...GRANT,
    title: 'Polled too often',
    meaning: 'The device asks more often than `interval` says.',
    fix: 'wait `interval` seconds between two requests, and 5 s longer after each `slow_down`',
    error: 'slow_down',
  },
  too_many_user_codes: {
    check: 'rate',
    title: 'Too many user codes',
    meaning: 'From the address came more wrong user codes within a minute than people mistype.',
    audience: 'caller',
    fix: 'wait a minute, and read the code on the device again',
    status: 429,
    error: 'temporarily_unavailable',
  },

  subject_token_refused: {
    ...GRANT,
    title: 'Subject token refused',
    meaning:
      'The token that was brought to be exchanged is no access token, is not accepted by the checks that every token passes, or is of an issuer whose tokens this client may not exchange.',
    fix: 'bring an access token of an issuer under `tokenExchange`, issued for an audience of this server',
    error: 'invalid_request',
  },
  subject_issuer_unavailable: {
    ...GRANT,
    title: 'Issuer of the subject token cannot be asked',
    meaning:
      'The keys of the issuer could not be had, or it does not answer about its opaque tokens.',
    fix: 'check that the issuer answers from where this server runs',
    status: 503,
    error: 'temporarily_unavailable',
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

  aud_missing: {
    check: 'resource',
    title: 'No audience',
    meaning:
      'The authorization request asks for clinical scopes and does not say of which FHIR server: `aud` is missing.',
    audience: 'caller',
    fix: 'set `aud` to the base URL of the FHIR endpoint, exactly as the app calls it',
    status: 400,
    error: 'invalid_request',
  },

  token_of_other_client: {
    check: 'resource',
    title: 'Token of another client',
    meaning: 'A client wants to revoke a token that was issued to another one.',
    audience: 'caller',
    fix: 'revoke the token as the client that it was issued to; an operator revokes any grant over the admin API',
    status: 400,
    error: 'invalid_grant',
  },
  introspection_not_permitted: {
    check: 'resource',
    title: 'Introspection of a token of another client',
    meaning:
      'The token is active, but the client that asks may only introspect its own. It reads `active: false`, as for a token that does not exist.',
    audience: 'operator',
    fix: 'register the client that asks for the scope `introspect`, if it is a resource server',
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
  openid_without_user: {
    ...SCOPE,
    title: '`openid` without a user',
    meaning:
      '`openid` signs a user in, client credentials have none, and `tokens.openidOnClientCredentials` is `reject`.',
    fix: 'leave `openid` out; or set `tokens.openidOnClientCredentials` to `ignore` or `issue`',
  },
  scope_needs_program: {
    ...SCOPE,
    title: 'Scope of a program',
    meaning: 'A scope such as `system/…` acts for the client itself, and here a user signs in.',
    fix: 'ask for `user/` or `patient/` scopes, or use client credentials',
  },
  scope_needs_context: {
    ...SCOPE,
    title: 'Scope without its context',
    meaning:
      'A `patient/` scope needs a patient, `fhirUser` a user who is a person in the FHIR data. It is left out.',
    fix: 'launch with a patient in context, or ask for `launch/patient`; set `fhirUser` of the user',
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

  // ── user ─────────────────────────────────────────────────────────────────────────────────────
  login_required: {
    ...USER,
    title: 'A user must sign in',
    meaning: 'The request says `prompt=none`, and here a user always decides.',
    fix: 'send the browser to the authorization endpoint without `prompt=none`',
    error: 'login_required',
  },
  access_denied: {
    ...USER,
    title: 'The user said no',
    meaning: 'The user stopped the sign-in, or allowed none of the scopes.',
    fix: 'ask for less, or explain to the user what the app does with it',
    error: 'access_denied',
  },
  launch_refused: {
    ...USER,
    title: 'Launch refused',
    meaning:
      'The `launch` handle is unknown, has expired (after five minutes), was used before, or is for another client or user.',
    fix: 'launch the app again from the EHR',
    error: 'invalid_request',
  },
} as const satisfies Record<string, TokenRequestReason>

export type TokenRequestReasonCode = keyof typeof TOKEN_REQUEST_CATALOGUE

/** The row of `code`; `undefined` when there is none. Inherited names are never found. */
export function findTokenRequestReason(code: string | undefined): TokenRequestReason | undefined {
  return code !== undefined && Object.hasOwn(TOKEN_REQUEST_CATALOGUE, code)
    ? TOKEN_REQUEST_CATALOGUE[code as TokenRequestReasonCode]
    : undefined
}
