import { findTokenRequestReason, type TokenRequestReasonCode } from '@scopegate/checks'
import type { AssertionProblem } from './check-assertion.ts'
import type { RefusalReason } from './token-refusal.ts'

/** An error of the protocol engine, as far as it is used here. */
export interface EngineError {
  readonly error?: string
  readonly error_description?: string
  /** Its inner reason, never sent to the client. */
  readonly error_detail?: string
  readonly statusCode?: number
  /** Set where our own code refused. */
  readonly scopegate?: RefusalReason
}

// What the client reads is the same for an unknown client, a disabled one and a wrong secret: who
// guesses learns nothing. The operator finds the difference in the trace.
const VAGUE_SECRET =
  'client authentication failed: unknown client_id, or wrong or expired client_secret; send both as they were issued, in the Authorization header (HTTP Basic) or in the form'
const VAGUE_ASSERTION =
  'client authentication failed: unknown client, or the assertion is not signed with a key registered for it (checked: iss, kid, alg, signature)'
const NO_CREDENTIAL =
  'the request names no client: send client_id and client_secret in the Authorization header (HTTP Basic) or in the form, or a client_assertion'

/** Inner reasons of the engine, by how they begin. */
const DETAILS: readonly (readonly [start: string, reason: RefusalReason])[] = [
  ['client not found', { code: 'client_unknown' }],
  ['the provided authentication mechanism', { code: 'client_authentication_method' }],
  ['invalid secret provided', { code: 'secret_wrong' }],
  ['no applicable key found', { code: 'assertion_key_unknown' }],
  ['signature verification failed', { code: 'assertion_signature' }],
  [
    'client assertion tokens must only be used once',
    {
      code: 'assertion_replayed',
      told: 'the assertion was used before: make a new one, with a new jti, for every request',
    },
  ],
]

/** Inner reasons of `invalid_grant`, by a part of them; the client reads them too. */
const GRANT_DETAILS: readonly (readonly [part: RegExp, code: TokenRequestReasonCode])[] = [
  [/^DPoP|DPoP proof/, 'dpop_refused'],
  [/^authorization code already consumed/, 'code_reused'],
  [/^refresh token already used/, 'refresh_token_reused'],
  [/^device code/, 'device_code_refused'],
  [/^grant (?:not found|is expired)|^accountId mismatch/, 'grant_revoked'],
  [/^refresh token|^failed jkt/, 'refresh_token_refused'],
  [/^authorization code|^PKCE/, 'code_refused'],
]
const GRANT_REASONS: Readonly<Record<string, TokenRequestReasonCode>> = {
  refresh_token: 'refresh_token_refused',
  'urn:ietf:params:oauth:grant-type:device_code': 'device_code_refused',
}

/** The reason of a protocol error when nothing more exact is known. */
const BY_ERROR: Readonly<Record<string, TokenRequestReasonCode>> = {
  invalid_request: 'request_malformed',
  unsupported_grant_type: 'grant_unsupported',
  invalid_scope: 'scope_malformed',
  invalid_target: 'resource_unknown',
  invalid_client: 'credential_refused',
  invalid_redirect_uri: 'redirect_uri_unknown',
  invalid_request_object: 'request_object_refused',
  invalid_request_uri: 'request_object_refused',
  request_not_supported: 'request_object_refused',
  request_uri_not_supported: 'request_object_refused',
  unsupported_response_type: 'response_type_unsupported',
  unsupported_response_mode: 'request_malformed',
  registration_not_supported: 'request_malformed',
  invalid_dpop_proof: 'dpop_refused',
  use_dpop_nonce: 'dpop_refused',
  expired_token: 'device_code_refused',
  login_required: 'login_required',
  consent_required: 'login_required',
  interaction_required: 'login_required',
  access_denied: 'access_denied',
}

/** Finds the reason for a refusal, as exact as it is known. */
export function refusalReason(
  error: EngineError,
  assertion: { readonly problem: AssertionProblem | undefined } | undefined,
  grantType?: unknown,
): RefusalReason {
  const vague = assertion === undefined ? VAGUE_SECRET : VAGUE_ASSERTION
  if (error.scopegate !== undefined) {
    return error.error === 'invalid_client' ? { told: vague, ...error.scopegate } : error.scopegate
  }
  const detail = error.error_detail ?? ''

  if (error.error === 'invalid_client') {
    if (assertion?.problem !== undefined) {
      const { code, expected, got, fix } = assertion.problem
      const told = `client assertion refused: expected ${expected}; got ${got}; ${fix}`
      return { code, expected, got, fix, told }
    }
    const known = DETAILS.find(([start]) => detail.startsWith(start))?.[1]
    return { told: vague, ...(known ?? { code: 'credential_refused', got: detail }) }
  }

  if (error.error === 'invalid_grant') return grantReason(detail, grantType)

  const general = BY_ERROR[error.error ?? '']
  if (general === undefined) {
    return { code: 'server_error' }
  }
  const got = detail === '' ? error.error_description : detail
  if (error.error_description?.startsWith('requested grant type is not allowed')) {
    return { code: 'grant_not_registered' }
  }
  if (error.error_description?.startsWith('no client authentication mechanism')) {
    return { code: general, told: NO_CREDENTIAL, ...(got === undefined ? {} : { got }) }
  }
  if (error.error === 'unsupported_grant_type') {
    return {
      code: general,
      told: 'this grant_type is not supported; use authorization_code, refresh_token, client_credentials or urn:ietf:params:oauth:grant-type:device_code',
    }
  }
  return { code: requestReason(error) ?? general, ...(got === undefined ? {} : { got }) }
}

function grantReason(detail: string, grantType: unknown): RefusalReason {
  const known = GRANT_DETAILS.find(([part]) => part.test(detail))?.[1]
  const code = known ?? GRANT_REASONS[String(grantType)] ?? 'code_refused'
  const fix = findTokenRequestReason(code)?.fix
  return { code, got: detail, told: detail === '' ? (fix ?? '') : `${detail}: ${fix}` }
}

/** Of an `invalid_request`, by what the engine says of it. */
function requestReason(error: EngineError): TokenRequestReasonCode | undefined {
  const text = error.error_description ?? ''
  if (/^(?:the )?launch /.test(text)) return 'launch_refused'
  if (/code_challenge|PKCE/.test(text)) return 'pkce_missing'
  if (/'?redirect_uri'?/.test(text)) return 'redirect_uri_unknown'
  if (/Pushed Authorization Request|Request Object/.test(text)) return 'request_object_refused'
  if (/session not found|has expired|identifier mismatch|session mismatch/.test(text)) {
    return 'interaction_lost'
  }
  return undefined
}
