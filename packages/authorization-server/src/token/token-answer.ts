import { redactText } from '@scopegate/checks'
import { storageProblem, storageStatus } from '@scopegate/storage'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { assertionExpectation, type EngineDeps, type RequestState } from '../create-engine.ts'
import { checkAssertion } from './check-assertion.ts'
import { failureLimitText } from './failure-limiter.ts'
import { readAssertion } from './read-assertion.ts'
import { type EngineError, refusalReason } from './refusal-reason.ts'
import { describable, refusalChecks, type TokenIssued, type TokenRefusal } from './token-refusal.ts'

export interface TokenAnswersDeps {
  readonly engine: EngineDeps
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  readonly onTokenRefused?: (refusal: TokenRefusal) => void
  readonly onTokenIssued?: (issued: TokenIssued) => void
}

/**
 * Completes what the engine answered at the token endpoint: the scopes that were left out, the
 * reason of a refusal in words that are safe for the client, and both for the operator.
 */
export function createTokenAnswers(on: TokenAnswersDeps): (ctx: KoaContextWithOIDC) => void {
  const { engine } = on

  function finish(ctx: KoaContextWithOIDC): void {
    ctx.set('Cache-Control', 'no-store')
    ctx.set('Pragma', 'no-cache')
    const state = ctx.state as RequestState & { error?: EngineError }
    if (state.error === undefined && ctx.status === 200) finishIssued(ctx, state)
    else finishRefused(ctx, state, state.error ?? ((ctx.body ?? {}) as EngineError))
  }

  function finishIssued(ctx: KoaContextWithOIDC, state: RequestState): void {
    const body = ctx.body as Record<string, unknown>
    const remarks = state.remarks ?? []
    if (remarks.length > 0) ctx.body = { ...body, omitted_scopes: remarks }
    on.onTokenIssued?.({
      correlationId: state.correlationId,
      atMs: on.nowMs(),
      clientId: ctx.oidc.client?.clientId ?? '',
      address: state.address,
      audience: state.audience ?? '',
      scope: String(body.scope ?? ''),
      remarks,
    })
  }

  function finishRefused(ctx: KoaContextWithOIDC, state: RequestState, error: EngineError): void {
    const sent = readAssertion(ctx.oidc?.params?.client_assertion)
    const assertion =
      ctx.oidc?.params?.client_assertion === undefined
        ? undefined
        : {
            problem: sent && checkAssertion(sent.header, sent.claims, assertionExpectation(engine)),
          }
    let reason = refusalReason(error, assertion)
    let wait = (error as { retryAfterSeconds?: number }).retryAfterSeconds
    if (error.error === 'invalid_client') {
      wait = engine.limits.failed(state.address)
      if (wait !== undefined) ctx.status = 429
    }
    const said = (ctx.body ?? {}) as { error?: string; error_description?: string }
    let { error: code = 'server_error' } = said
    let text = reason.told ?? said.error_description ?? ''
    if (wait !== undefined && error.error === 'invalid_client') {
      text = `${text}; and there were ${failureLimitText(wait, engine.limits.failuresPerMinute)}`
    }
    const problem = storageProblem(error)
    if (problem !== undefined) {
      ctx.status = storageStatus(problem)
      code = 'temporarily_unavailable'
      reason = { code: 'storage_unavailable' }
      text = 'the server cannot use its database at the moment: try again'
      wait = 5
    } else if (code === 'server_error') {
      text = `the server failed; its log has the reason under ${state.correlationId}`
    }
    if (wait !== undefined) ctx.set('Retry-After', String(wait))
    // Whoever sends a secret in the wrong place must not find it in a log.
    const description = describable(redactText(text))
    ctx.body = { error: code, error_description: description, correlation_id: state.correlationId }
    const clientId = ctx.oidc?.client?.clientId ?? claimedClientId(ctx, sent?.claims.sub)
    on.onTokenRefused?.({
      correlationId: state.correlationId,
      atMs: state.startedMs,
      durationMs: on.nowMs() - state.startedMs,
      method: ctx.method,
      status: ctx.status,
      error: code,
      description,
      code: reason.code,
      ...(clientId === undefined ? {} : { clientId }),
      address: state.address,
      checks: refusalChecks(reason),
    })
  }

  return finish
}

/**
 * The client as the request names it, for the operator. Anybody may write it: only what can be an
 * id is kept, and nothing that looks like a secret sent in its place.
 */
function claimedClientId(ctx: KoaContextWithOIDC, fromAssertion: unknown): string | undefined {
  const named = ctx.oidc?.params?.client_id ?? fromAssertion ?? basicUser(ctx.headers.authorization)
  if (typeof named !== 'string' || named === '') return undefined
  return /^[A-Za-z0-9._~-]{1,128}$/.test(named) ? redactText(named) : NOT_AN_ID
}

const NOT_AN_ID = '(not a client_id)'

/** The part before the colon; without one, the whole could be the secret. */
function basicUser(authorization: string | undefined): string | undefined {
  const [, basic] = /^basic +(.+)$/i.exec(authorization ?? '') ?? []
  if (basic === undefined) return undefined
  const [user, secret] = Buffer.from(basic, 'base64').toString('utf8').split(':', 2)
  return secret === undefined ? NOT_AN_ID : user
}
