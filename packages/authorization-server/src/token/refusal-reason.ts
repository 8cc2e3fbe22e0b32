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
  'client authentication failed: unknown client_id, or wrong or expired client_secret; send both as they were issued, by HTTP Basic or in the form'
const VAGUE_ASSERTION =
  'client authentication failed: unknown client, or the assertion is not signed with a key registered for it (checked: iss, kid, alg, signature)'

/** Inner reasons of the engine, by how they begin. */
const DETAILS: readonly (readonly [start: string, reason: RefusalReason])[] = [
  [
    'client not found',
    {
      check: 'client',
      code: 'client_unknown',
      fix: 'compare the client_id with `scopegate client list`',
    },
  ],
  [
    'the provided authentication mechanism',
    {
      check: 'client',
      code: 'client_authentication_method',
      fix: 'send a secret if the client has one, a signed assertion if it has keys; see `scopegate client show`',
    },
  ],
  [
    'invalid secret provided',
    {
      check: 'credential',
      code: 'secret_wrong',
      fix: 'compare what the client sends, or make a new secret with `scopegate client rotate-secret`',
    },
  ],
  [
    'no applicable key found',
    {
      check: 'credential',
      code: 'assertion_key_unknown',
      fix: 'register the key with this `kid` and algorithm, or sign with a registered one',
    },
  ],
  [
    'signature verification failed',
    {
      check: 'credential',
      code: 'assertion_signature',
      fix: 'sign with the private key that belongs to the registered public one',
    },
  ],
  [
    'client assertion tokens must only be used once',
    {
      check: 'replay',
      code: 'assertion_replayed',
      fix: 'make a new assertion, with a new `jti`, for every request',
      told: 'the assertion was used before: make a new one, with a new jti, for every request',
    },
  ],
]

/** Which step a protocol error belongs to, when nothing more exact is known. */
const BY_ERROR: Readonly<Record<string, Pick<RefusalReason, 'check' | 'code' | 'fix'>>> = {
  invalid_request: {
    check: 'request',
    code: 'request_malformed',
    fix: 'send a form (application/x-www-form-urlencoded) with each parameter once',
  },
  unsupported_grant_type: {
    check: 'grant_type',
    code: 'grant_unsupported',
    fix: 'use grant_type=client_credentials',
  },
  invalid_scope: { check: 'scope', code: 'scope_malformed', fix: 'separate scopes by one space' },
  invalid_target: { check: 'resource', code: 'resource_unknown', fix: 'leave `resource` out' },
  invalid_client: {
    check: 'credential',
    code: 'credential_refused',
    fix: 'compare the credential with the registration of the client',
  },
}

/** Finds the reason for a refusal, as exact as it is known. */
export function refusalReason(
  error: EngineError,
  assertion: { readonly problem: AssertionProblem | undefined } | undefined,
): RefusalReason {
  if (error.scopegate !== undefined) return error.scopegate
  const detail = error.error_detail ?? ''

  if (error.error === 'invalid_client') {
    if (assertion?.problem !== undefined) {
      const { code, expected, got, fix } = assertion.problem
      const told = `client assertion refused: expected ${expected}; got ${got}; ${fix}`
      return { check: 'credential', code, expected, got, fix, told }
    }
    const vague = assertion === undefined ? VAGUE_SECRET : VAGUE_ASSERTION
    const known = DETAILS.find(([start]) => detail.startsWith(start))?.[1]
    return { told: vague, ...(known ?? { ...BY_ERROR.invalid_client!, got: detail }) }
  }

  const general = BY_ERROR[error.error ?? '']
  if (general === undefined) {
    return { check: 'request', code: error.error ?? 'server_error', fix: 'see the server log' }
  }
  const got = detail === '' ? error.error_description : detail
  if (error.error_description?.startsWith('requested grant type is not allowed')) {
    return {
      check: 'grant_type',
      code: 'grant_not_registered',
      fix: 'register the client for this grant type',
    }
  }
  if (error.error === 'unsupported_grant_type') {
    return { ...general, told: 'this grant_type is not supported; use client_credentials' }
  }
  return { ...general, ...(got === undefined ? {} : { got }) }
}
