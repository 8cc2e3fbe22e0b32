import { type CallerDetail, redactText } from '@scopegate/checks'
import { LAUNCH_CONTEXT_MEMBERS } from '@scopegate/oauth-model'
import { storageProblem, storageStatus } from '@scopegate/storage'
import type { KoaContextWithOIDC } from 'oidc-provider'
import {
  assertionExpectation,
  type EngineDeps,
  type RequestState,
  ROUTES,
} from '../create-engine.ts'
import { factsOf } from '../engine/engine-client.ts'
import { POLL_SECONDS } from '../engine/model-store.ts'
import { AnsweredBefore } from '../refresh/refresh-answers.ts'
import { checkAssertion } from './check-assertion.ts'
import { failureLimitText } from './failure-limiter.ts'
import { readAssertion } from './read-assertion.ts'
import { refusalBody } from './refusal-body.ts'
import { type EngineError, refusalReason } from './refusal-reason.ts'
import { describable, refusalChecks, type TokenIssued, type TokenRefusal } from './token-refusal.ts'

export interface TokenAnswersDeps {
  readonly engine: EngineDeps
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  /** How much clients may read of refusals; default `standard`. */
  readonly callers?: CallerDetail | undefined
  readonly onTokenRefused?: ((refusal: TokenRefusal) => void) | undefined
  readonly onTokenIssued?: ((issued: TokenIssued) => void) | undefined
  readonly onError?: ((error: unknown, correlationId: string) => void) | undefined
}

/**
 * Completes what the engine answered at the token endpoint: the scopes that were left out, the
 * reason of a refusal in words that are safe for the client, and both for the operator.
 */
export function createTokenAnswers(
  on: TokenAnswersDeps,
): (ctx: KoaContextWithOIDC) => Promise<void> {
  const { engine } = on

  async function finish(ctx: KoaContextWithOIDC): Promise<void> {
    ctx.set('Cache-Control', 'no-store')
    ctx.set('Pragma', 'no-cache')
    const state = ctx.state as RequestState & { error?: EngineError }
    if (state.error instanceof AnsweredBefore) {
      ctx.status = 200
      ctx.body = state.error.body
    } else if (state.error !== undefined || ctx.status >= 400) {
      finishRefused(ctx, state, state.error ?? ((ctx.body ?? {}) as EngineError))
    } else if (ctx.oidc.route === 'token') await finishIssued(ctx, state)
    else if (ctx.oidc.route === 'device_authorization') {
      ctx.body = { ...(ctx.body as object), interval: POLL_SECONDS }
    }
  }

  async function finishIssued(ctx: KoaContextWithOIDC, state: RequestState): Promise<void> {
    const remarks = state.remarks ?? []
    const body = {
      ...launchMembers(state),
      ...(ctx.body as Record<string, unknown>),
      ...(remarks.length > 0 ? { omitted_scopes: remarks } : {}),
    } as Record<string, unknown>
    ctx.body = body
    if (!factsOf(ctx.oidc.client).public) {
      engine.limits.authenticated(state.address, ctx.oidc.client?.clientId ?? '')
    }
    // The tokens are good all the same: only a repeated request will not get them again.
    await keepAnswer(ctx, body).catch((error) => on.onError?.(error, state.correlationId))
    on.onTokenIssued?.({
      correlationId: state.correlationId,
      atMs: on.nowMs(),
      clientId: ctx.oidc.client?.clientId ?? '',
      address: state.address,
      audience: state.audience ?? '',
      scope: String(body.scope ?? ''),
      remarks,
      ...(state.grant === undefined
        ? {}
        : { userId: state.grant.userId, grantId: state.grant.grantId }),
      ...(state.exchanged && { subjectIssuer: state.exchanged.issuer }),
    })
  }

  /** For whoever repeats the refresh: before the answer is sent, since it may not arrive. */
  async function keepAnswer(ctx: KoaContextWithOIDC, body: Record<string, unknown>) {
    const { AccessToken } = ctx.oidc.entities
    const used = (ctx.oidc.entities as { RotatedRefreshToken?: { jti: string } })
      .RotatedRefreshToken
    if (used === undefined) return
    const dpopKey = (AccessToken as { jkt?: string } | undefined)?.jkt
    await engine.refreshAnswers.keep(used.jti, {
      body,
      clientId: ctx.oidc.client?.clientId ?? '',
      ...(dpopKey === undefined ? {} : { dpopKey }),
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
    let reason = refusalReason(error, assertion, ctx.oidc?.params?.grant_type)
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
    const { correlationId } = state
    const checks = refusalChecks(reason)
    const client = ctx.oidc?.client
    const isAuthenticated =
      client !== undefined && code !== 'invalid_client' && !factsOf(client).public
    const { callers } = on
    ctx.body = refusalBody({
      ...{ error: code, description, correlationId, checks, isAuthenticated, callers },
    })
    // A device that waits for its user is not refused.
    if (code === 'authorization_pending') return
    const clientId = client?.clientId ?? claimedClientId(ctx, sent?.claims.sub)
    on.onTokenRefused?.({
      correlationId,
      ...(ctx.path === ROUTES.token ? {} : { path: ctx.path }),
      atMs: state.startedMs,
      durationMs: on.nowMs() - state.startedMs,
      method: ctx.method,
      status: ctx.status,
      error: code,
      description,
      code: reason.code,
      ...(clientId === undefined ? {} : { clientId }),
      address: state.address,
      checks,
    })
  }

  return finish
}

/** The launch context, beside the access token. @see SMART 2.2: launch context parameters */
function launchMembers({ grant }: RequestState): Record<string, unknown> {
  const context: Readonly<Record<string, unknown>> = { ...grant?.context }
  return Object.fromEntries(
    LAUNCH_CONTEXT_MEMBERS.flatMap((name) =>
      context[name] === undefined ? [] : [[name, context[name]]],
    ),
  )
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
