import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CallerDetail } from '@scopegate/checks'
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import { applyCors, openToAll } from '../cors/apply-cors.ts'
import { createEngine } from '../create-engine.ts'
import type { SigningKeySnapshot, SigningKeys } from '../keys/signing-keys.ts'
import type { MetadataFacts } from '../metadata/metadata-facts.ts'
import { serverMetadata } from '../metadata/server-metadata.ts'
import type { OwnEndpoints } from '../own-endpoints/create-own-endpoints.ts'
import { nameClient } from '../refresh/name-client.ts'
import { createTokenAnswers } from '../token/token-answer.ts'
import type { TokenIssued, TokenRefusal } from '../token/token-refusal.ts'
import { createAuthorizeRefusals } from './authorize-refusals.ts'
import { askBeforeLogout, endSessionOfBrowser } from './end-session.ts'
import type { EngineDeps } from './engine-deps.ts'
import { BROWSER_ROUTES } from './render-error.ts'
import { ROUTES } from './routes.ts'

export interface RunEngineDeps {
  readonly engine: EngineDeps
  readonly signingKeys: Pick<SigningKeys, 'snapshot'>
  readonly metadata: MetadataFacts
  /** The endpoints that only let the engine authenticate the client. */
  readonly own: Pick<OwnEndpoints, 'isForwarded' | 'finish'>
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  readonly addressOf: (request: IncomingMessage) => string
  readonly correlationIdOf: (request: IncomingMessage) => string
  /** Whether a client is registered for this web origin. */
  readonly isRegisteredOrigin: (origin: string) => boolean | Promise<boolean>
  /** Ends the session with all that belongs to it. */
  readonly logOut: (sessionId: string) => Promise<void>
  /** How much clients may read of refusals; default `standard`. */
  readonly callers?: CallerDetail | undefined
  readonly onTokenRefused?: ((refusal: TokenRefusal) => void) | undefined
  readonly onTokenIssued?: ((issued: TokenIssued) => void) | undefined
  readonly onError?: ((error: unknown, correlationId: string) => void) | undefined
}

export interface RunningEngine {
  /** With the signing keys of now; after {@link RunningEngine.handle} or {@link RunningEngine.ready}. */
  current(): Provider
  ready(): Promise<Provider>
  /** The Host of the request must be pinned. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Completes and reports what was answered to a client. */
  finishAnswer(ctx: KoaContextWithOIDC): Promise<void>
}

/** Where clients ask, and are answered in JSON. */
/** Where the engine may answer with a page of its own, which submits itself. */
const BROWSER_PATHS = [ROUTES.authorization, ROUTES.code_verification, ROUTES.end_session]

/**
 * Ours replaces it on pages of ours. The engine adds the hash of its script, so that `script-src`
 * must be there without allowing anything. No `form-action`: an app may ask for the answer as a form.
 */
const ENGINE_PAGES_POLICY =
  "default-src 'none'; script-src 'report-sample'; base-uri 'none'; frame-ancestors 'none'"

const CLIENT_PATHS: ReadonlySet<string> = new Set([
  ROUTES.token,
  ROUTES.pushed_authorization_request,
  ROUTES.device_authorization,
])

/** The events by which the engine tells what it refused where a browser is. */
const BROWSER_ERRORS = [
  'authorization.error',
  'end_session.error',
  'end_session_confirm.error',
  'code_verification.error',
  'device_resume.error',
]
const CLIENT_ERRORS = [
  'grant.error',
  'pushed_authorization_request.error',
  'device_authorization.error',
  'introspection.error',
  'revocation.error',
]
const PAGES_WITH_SESSION = [ROUTES.code_verification, ROUTES.end_session]

/** The engine, made anew when the signing keys turn, with our answers around its own. */
export async function runEngine(deps: RunEngineDeps): Promise<RunningEngine> {
  const { signingKeys, nowMs } = deps
  const finishAnswer = createTokenAnswers({ ...deps, engine: deps.engine })
  const refuseInBrowser = createAuthorizeRefusals(deps)
  let active = start(await signingKeys.snapshot())

  function start(keys: SigningKeySnapshot) {
    const engine = createEngine(deps.engine, keys)
    engine.use((ctx, next) => handle(ctx as KoaContextWithOIDC, next))
    const keepError = (ctx: KoaContextWithOIDC, error: unknown) => {
      ctx.state.error = error
    }
    for (const event of CLIENT_ERRORS) engine.on(event as never, keepError as never)
    for (const event of BROWSER_ERRORS) engine.on(event as never, refuseInBrowser as never)
    engine.on('server_error', (ctx, error) => {
      keepError(ctx as KoaContextWithOIDC, error)
      const isBrowser = BROWSER_ROUTES.has((ctx as KoaContextWithOIDC).oidc?.route)
      if (isBrowser) refuseInBrowser(ctx as KoaContextWithOIDC, error as never)
      deps.onError?.(error, String(ctx.state.correlationId))
    })
    return { keys, handler: engine.callback(), engine }
  }

  async function handle(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
    const { req } = ctx
    ctx.state.address = deps.addressOf(req)
    ctx.state.correlationId = deps.correlationIdOf(req)
    ctx.state.startedMs = nowMs()
    ctx.set('X-Request-Id', ctx.state.correlationId)
    ctx.set('X-Content-Type-Options', 'nosniff')
    ctx.set('Referrer-Policy', 'no-referrer')
    if (BROWSER_PATHS.some((path) => ctx.path.startsWith(path))) {
      ctx.set('Content-Security-Policy', ENGINE_PAGES_POLICY)
      if (!deps.engine.embedded) ctx.set('X-Frame-Options', 'DENY')
    }
    if (ctx.path === ROUTES.token && ctx.method === 'POST') await nameClient(ctx, deps.engine)
    try {
      await next()
    } catch (error) {
      const isOfUser = PAGES_WITH_SESSION.some((path) => ctx.path.startsWith(path))
      if (!isOfUser || !isSessionWithoutBeginning(error)) throw error
      // The form belongs to a session that is over: the page is shown anew, with one.
      return startPageAnew(ctx)
    }
    if (deps.own.isForwarded(req)) await deps.own.finish(ctx)
    else if (CLIENT_PATHS.has(ctx.path)) {
      if (ctx.method === 'POST') await finishAnswer(ctx)
      await applyCors(ctx, deps.isRegisteredOrigin)
    } else if (ctx.path === ROUTES.jwks) {
      openToAll(ctx)
      if (ctx.status !== 200) return
      ctx.body = (await signingKeys.snapshot()).jwks
      ctx.type = 'application/jwk-set+json'
      ctx.set('Cache-Control', 'public, max-age=60')
    } else if (ctx.path === `${ROUTES.end_session}/confirm`) {
      await endSessionOfBrowser(ctx, deps)
      deps.engine.pages.leave?.(ctx)
    } else if (ctx.path === ROUTES.end_session) {
      await askBeforeLogout(ctx, deps)
    } else if (ctx.path.startsWith('/.well-known/')) {
      openToAll(ctx)
      if (ctx.status !== 200) return
      ctx.body = serverMetadata(ctx.body as Record<string, unknown>, deps.metadata)
      ctx.set('Cache-Control', 'public, max-age=60')
    }
  }

  async function ready(): Promise<Provider> {
    const keys = await signingKeys.snapshot()
    if (keys !== active.keys) active = start(keys)
    return active.engine
  }

  return {
    current: () => active.engine,
    ready,
    finishAnswer,
    async handle(request, response) {
      await ready()
      await active.handler(request, response)
    },
  }
}

/** The engine changed a session that was begun by this very request, and so is in no database. */
function isSessionWithoutBeginning(error: unknown): boolean {
  return error instanceof TypeError && /only be called on previously persisted/.test(error.message)
}

function startPageAnew(ctx: KoaContextWithOIDC): void {
  const isOfDevice = ctx.path.startsWith(ROUTES.code_verification)
  ctx.body = ''
  ctx.status = 303
  ctx.set('Location', isOfDevice ? ROUTES.code_verification : ROUTES.end_session)
}
