import type { TokenFailure } from '@scopegate/oauth-model'
import type { ClientAttempt } from '../authentication/client-attempts.ts'
import type { ConnectionGrant } from '../connection.ts'
import type { FetchedToken, TokenTarget } from '../token-request.ts'
import type { Answer } from '../transport/transport.ts'
import { explainFailure, type FailureFacts } from './explain-failure.ts'
import { parseBody } from './parse-body.ts'
import { readRefusal, retryAfterOf } from './read-refusal.ts'
import { readToken } from './read-token.ts'
import { judgeScopes } from './scope-outcome.ts'
import { type Scrub, scrubMessage } from './scrub.ts'
import { sentScopes } from './token-form.ts'
import type { TokenWarning } from './token-warning.ts'

export interface AnswerContext {
  readonly target: TokenTarget
  readonly grant: ConnectionGrant
  readonly dpop: boolean
  readonly attempt: ClientAttempt
  readonly endpoint: string
  readonly parameters: readonly string[]
  readonly scrub: Scrub
  readonly nowMs: number
}

export type ReadAnswer =
  | { readonly kind: 'token'; readonly token: Omit<FetchedToken, 'dpopKey'> }
  | { readonly kind: 'failed'; readonly failure: TokenFailure }

/** Clocks that differ by more break assertions and short tokens. */
const SKEW_WARNING_SECONDS = 30

/** What an answer of a token endpoint means, whatever it looks like. */
export function readAnswer(answer: Answer, context: AnswerContext): ReadAnswer {
  const contentType = answer.headers.get('content-type')
  const isSuccess = answer.status >= 200 && answer.status < 300
  const body = parseBody(answer.text, contentType)
  if (!isSuccess) {
    const isRedirect = answer.status >= 300 && answer.status < 400
    return refused(answer, context, isRedirect ? redirectFacts(answer) : {})
  }
  if (body.kind === 'other') return refused(answer, context, { finding: 'answer_malformed' })
  const saysError = body.value.error !== undefined && body.value.error !== null
  if (saysError && body.value.access_token === undefined) return refused(answer, context, {})

  const { target, grant, dpop } = context
  const asked = sentScopes(target)
  const read = readToken(body.value, { asked, grant, dpop })
  if (read.kind === 'unusable') {
    return refused(answer, context, { finding: read.finding, got: read.got })
  }
  const { token } = read
  const scopes = judgeScopes({
    asked,
    granted: token.scopes,
    policy: target.connection.scopePolicy,
    hasRefreshToken: token.refreshToken !== undefined,
  })
  if (scopes.refused) {
    return refused(answer, context, {
      finding: 'scope_policy',
      expected: asked.join(' ') || 'none',
      got: token.scopes.join(' ') || 'none',
    })
  }
  const skew = answer.clockSkewSeconds
  const theirNowSeconds = context.nowMs / 1000 + (skew ?? 0)
  if (token.jwtExpiresAt !== undefined && token.jwtExpiresAt <= theirNowSeconds) {
    return refused(answer, context, { finding: 'token_already_expired' })
  }
  const warnings: TokenWarning[] = [...read.warnings]
  if (body.form) warnings.push('form_encoded_answer')
  else if (!/^application\/([\w.-]+\+)?json\b/i.test(contentType ?? '')) {
    warnings.push('content_type_unusual')
  }
  if (scopes.missing.length > 0 && target.connection.scopePolicy !== 'accept') {
    warnings.push('scope_missing')
  }
  if (asked.length < target.scopes.length) warnings.push('scope_not_sent')
  if (skew !== undefined && Math.abs(skew) > SKEW_WARNING_SECONDS) warnings.push('clock_skew')
  return {
    kind: 'token',
    token: { ...token, warnings, ...(skew !== undefined && { clockSkewSeconds: skew }) },
  }
}

/** Whether the client, not its wish, was refused: another secret may help. */
export function isClientRefused(failure: TokenFailure): boolean {
  const { status, error } = failure.provider ?? {}
  // Keycloak says `unauthorized_client` for a wrong secret; only the status tells.
  return error === 'invalid_client' || (status === 401 && error !== 'use_dpop_nonce')
}

function refused(
  answer: Answer,
  context: AnswerContext,
  found: Pick<FailureFacts, 'finding' | 'expected' | 'got'>,
): ReadAnswer {
  const retryAfterSeconds = retryAfterOf(answer, context.nowMs)
  const skew = answer.clockSkewSeconds
  return {
    kind: 'failed',
    failure: explainFailure(context.target, {
      ...found,
      ...(found.got !== undefined && { got: scrubMessage(found.got, context.scrub) }),
      wasSent: true,
      grant: context.grant,
      attempt: context.attempt,
      endpoint: context.endpoint,
      parameters: context.parameters,
      message: readRefusal(answer, context.scrub),
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
      ...(skew !== undefined && { clockSkewSeconds: skew }),
    }),
  }
}

/** Only where it leads to: a query may hold anything. */
function redirectFacts(answer: Answer): Pick<FailureFacts, 'finding' | 'got'> {
  const location = answer.headers.get('location')
  const url = location === null ? null : URL.parse(location)
  const got = url === null ? undefined : `${url.origin}${url.pathname}`
  return { finding: 'redirected', ...(got !== undefined && { got }) }
}
