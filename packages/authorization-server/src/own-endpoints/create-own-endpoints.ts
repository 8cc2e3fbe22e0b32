import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CallerDetail } from '@scopegate/checks'
import { storageProblem, storageStatus } from '@scopegate/storage'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { answerPreflight, corsHeadersFor } from '../cors/cors.ts'
import { createIntrospection } from '../introspection/introspect.ts'
import { answerRevocation, type RevocationDeps } from '../revocation/revoke-token.ts'
import type { TokenLimits } from '../token/failure-limiter.ts'
import type { TokenRefusal } from '../token/token-refusal.ts'
import { answerUserinfo, type UserinfoDeps } from '../userinfo/userinfo.ts'
import type { OwnTokens } from './own-tokens.ts'
import { type ReadForm, readTokenForm } from './read-token-form.ts'
import { createRefusals, type OwnAnswer, type OwnCall } from './refusals.ts'
import { isRepeated } from './verify-bearer.ts'
import { withForm } from './with-form.ts'

/** The endpoints that the engine has not, or not for our tokens. */
export interface OwnEndpoints {
  readonly paths: readonly string[]
  /**
   * Answers the request; or gives it back, for the engine to authenticate its client. What the
   * engine then says is replaced by {@link OwnEndpoints.finish}.
   */
  handle(request: IncomingMessage, response: ServerResponse): Promise<IncomingMessage | undefined>
  /** Whether the request came from `handle`. */
  isForwarded(request: IncomingMessage): boolean
  finish(ctx: KoaContextWithOIDC): Promise<void>
}

export interface OwnEndpointsDeps
  extends Omit<RevocationDeps, 'refuse'>,
    Omit<UserinfoDeps, 'refuse'> {
  readonly issuer: string
  readonly paths: {
    readonly introspection: string
    readonly revocation: string
    readonly userinfo: string
  }
  readonly tokens: OwnTokens
  readonly isRegisteredOrigin: (origin: string) => boolean | Promise<boolean>
  readonly limits: TokenLimits
  readonly addressOf: (request: IncomingMessage) => string
  readonly correlationIdOf: (request: IncomingMessage) => string
  /** Completes and records what the engine refused. */
  readonly finishRefusal: (ctx: KoaContextWithOIDC) => Promise<void> | void
  /** How much callers may read of refusals; default `standard`. */
  readonly callers?: CallerDetail | undefined
  readonly onTokenRefused?: ((refusal: TokenRefusal) => void) | undefined
  readonly onError?: ((error: unknown, correlationId: string) => void) | undefined
}

interface Forwarded {
  readonly call: OwnCall
  readonly form: ReadForm
  readonly headers: Readonly<Record<string, string>>
}

/**
 * What the engine gets in place of the token. It takes it for a JWT, which it refuses once the
 * client is authenticated: that refusal is the sign that it was.
 */
const STAND_IN = 'e30.e30.e30'

const NAME_YOURSELF =
  'the request names no client: authenticate as at the token endpoint (HTTP Basic, form or client_assertion)'

/** Introspection, revocation and userinfo. */
export function createOwnEndpoints(deps: OwnEndpointsDeps): OwnEndpoints {
  const { paths } = deps
  const refuse = createRefusals(deps)
  const withRefusals = { ...deps, refuse }
  const introspection = createIntrospection(withRefusals)
  const forwarded = new WeakMap<IncomingMessage, Forwarded>()

  async function handle(request: IncomingMessage, response: ServerResponse) {
    const { origin } = request.headers
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    const correlationId = deps.correlationIdOf(request)
    const call: OwnCall = {
      request,
      path,
      correlationId,
      address: deps.addressOf(request),
      startedMs: deps.nowMs(),
    }
    let headers = commonHeaders(correlationId)
    try {
      // Resource servers introspect, and no browser.
      const isOpen = path !== paths.introspection && origin !== undefined
      const isRegistered = isOpen && (await deps.isRegisteredOrigin(origin))
      if (request.method === 'OPTIONS') {
        answerPreflight(response, origin, isRegistered)
        return undefined
      }
      headers = { ...headers, ...corsHeadersFor(origin, isRegistered) }
      const answer =
        path === paths.userinfo ? await answerUserinfo(call, withRefusals) : await prepare(call)
      if ('form' in answer) {
        const others = [...answer.form.others, ['token', STAND_IN] as const]
        const copy = withForm(request, others)
        forwarded.set(copy, { call, form: answer.form, headers })
        return copy
      }
      send(response, answer, headers)
    } catch (error) {
      deps.onError?.(error, correlationId)
      send(response, failure(error, correlationId), headers)
    }
    return undefined
  }

  /** Introspection and revocation, until it must be found out which client asks. */
  async function prepare(call: OwnCall): Promise<OwnAnswer | { readonly form: ReadForm }> {
    const { request } = call
    if (request.method !== 'POST') {
      return refuse.byReason(call, 'method_not_allowed', 'POST a form with the token')
    }
    if (isRepeated(request, 'authorization')) {
      const told = 'the request carries more than one Authorization header: send one'
      return refuse.byReason(call, 'several_authorization_headers', told)
    }
    const form = await readTokenForm(request)
    if (!form.ok) {
      return refuse.byReason(call, 'request_malformed', form.why, { status: form.status })
    }
    const { authorization } = request.headers
    const names = form.others.map(([name]) => name)
    if (call.path === paths.introspection && /^(?:bearer|dpop) /i.test(authorization ?? '')) {
      if (!names.includes('client_secret') && !names.includes('client_assertion')) {
        return introspection.forBearer(call, form)
      }
      const told = 'the request authenticates twice: send an access token or a client credential'
      return refuse.byReason(call, 'request_malformed', told)
    }
    if (
      authorization === undefined &&
      !names.includes('client_id') &&
      !names.includes('client_assertion')
    ) {
      const orBearer = ', or send an access token that holds the scope introspect'
      const told = call.path === paths.introspection ? `${NAME_YOURSELF}${orBearer}` : NAME_YOURSELF
      return refuse.byReason(call, 'client_unnamed', told)
    }
    return { form }
  }

  async function finish(ctx: KoaContextWithOIDC): Promise<void> {
    const job = forwarded.get(ctx.req)
    if (job === undefined) return
    const { call, headers } = job
    ctx.remove('Access-Control-Allow-Origin')
    ctx.remove('Access-Control-Expose-Headers')
    const isKnown = isAuthenticated(ctx)
    if (!isKnown && ctx.status >= 400) {
      await deps.finishRefusal(ctx)
      ctx.set(headers)
      return
    }
    ctx.state.error = undefined
    const answered = isKnown
      ? answerFor(ctx, job)
      : Promise.reject(new Error('the engine took the stand-in for a token'))
    const answer = await answered.catch((error: unknown) => {
      deps.onError?.(error, call.correlationId)
      return failure(error, call.correlationId)
    })
    ctx.set({ ...headers, ...answer.headers })
    ctx.body = answer.body ?? ''
    ctx.status = answer.status
  }

  async function answerFor(ctx: KoaContextWithOIDC, { call, form }: Forwarded): Promise<OwnAnswer> {
    const { clientId, clientAuthMethod, scopegate } = ctx.oidc.client as unknown as EngineClient
    deps.limits.authenticated(call.address, clientId)
    if (call.path === paths.revocation) {
      return answerRevocation(call, form, clientId, withRefusals)
    }
    const client = { clientId, clientAuthMethod, scopes: scopegate?.scopes ?? '' }
    return introspection.forClient(call, form, client)
  }

  return {
    paths: [paths.introspection, paths.revocation, paths.userinfo],
    handle,
    isForwarded: (request) => forwarded.has(request),
    finish,
  }
}

/** As the engine has it. */
interface EngineClient {
  readonly clientId: string
  readonly clientAuthMethod: string
  readonly scopegate?: { readonly scopes: string }
}

/** See STAND_IN. Nothing else is refused by this code, and nothing before the client is known. */
function isAuthenticated(ctx: KoaContextWithOIDC): boolean {
  const { error } = ctx.state as { error?: { readonly error?: string } }
  return error?.error === 'unsupported_token_type' && ctx.oidc.client !== undefined
}

function commonHeaders(correlationId: string): Readonly<Record<string, string>> {
  return {
    'cache-control': 'no-store',
    pragma: 'no-cache',
    'x-request-id': correlationId,
    'x-content-type-options': 'nosniff',
  }
}

/** The fault is ours. */
function failure(error: unknown, correlationId: string): OwnAnswer {
  const problem = storageProblem(error)
  const isStorage = problem !== undefined
  return {
    status: isStorage ? storageStatus(problem) : 500,
    body: {
      error: isStorage ? 'temporarily_unavailable' : 'server_error',
      error_description: isStorage
        ? 'the server cannot use its database at the moment: try again'
        : `the server failed; its log has the reason under ${correlationId}`,
      correlation_id: correlationId,
    },
    ...(isStorage ? { headers: { 'retry-after': '5' } } : {}),
  }
}

function send(
  response: ServerResponse,
  { status, body, headers = {} }: OwnAnswer,
  common: Readonly<Record<string, string>>,
): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const text = body === undefined ? '' : JSON.stringify(body)
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  response.writeHead(status, { ...type, ...common, ...headers })
  response.end(text)
}
