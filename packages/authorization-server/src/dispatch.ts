import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerJson } from './answer-json.ts'
import type { Controller } from './controller.ts'
import { answerPreflight } from './cors/cors.ts'
import { forgetEngineSession } from './engine/cookies.ts'
import { postAsGet } from './engine/post-as-get.ts'
import { ROUTES } from './engine/routes.ts'
import type { RunningEngine } from './engine/run-engine.ts'
import type { OwnEndpoints } from './own-endpoints/create-own-endpoints.ts'
import { pinHost } from './pin-host.ts'
import type { Registration } from './registration/create-registration.ts'
import type { EarlyRefusals } from './token/refuse-early.ts'

export interface DispatcherDeps {
  readonly issuer: URL
  readonly hasUsers: boolean
  readonly registration: Registration
  readonly own: Pick<OwnEndpoints, 'paths' | 'handle'>
  readonly controllers: readonly Controller[]
  readonly engine: Pick<RunningEngine, 'ready' | 'handle'>
  readonly early: Pick<EarlyRefusals, 'check'>
  readonly isRegisteredOrigin: (origin: string) => boolean | Promise<boolean>
}

export interface Dispatcher {
  /** As the node server matches them. */
  readonly routes: readonly string[]
  dispatch(request: IncomingMessage, response: ServerResponse): Promise<void>
}

/** What the engine answers, whether people sign in here or not. */
const SERVED = [
  ROUTES.token,
  ROUTES.jwks,
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
] as const

/** Where users and their devices are. */
const SERVED_TO_USERS = [
  ROUTES.authorization,
  ROUTES.pushed_authorization_request,
  ROUTES.device_authorization,
  ROUTES.code_verification,
  ROUTES.end_session,
] as const
const BELOW = [ROUTES.authorization, ROUTES.code_verification, ROUTES.end_session] as const

/** Where pages of registered origins ask, beside our own endpoints. */
const FOR_PAGES: ReadonlySet<string> = new Set([
  ROUTES.token,
  ROUTES.pushed_authorization_request,
  ROUTES.device_authorization,
])

/** Who answers a request: the parts of our own, or the engine behind a pinned Host. */
export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { registration, own, controllers, engine, early, hasUsers } = deps
  const isSecure = deps.issuer.protocol === 'https:'
  const exact: readonly string[] = hasUsers ? [...SERVED, ...SERVED_TO_USERS] : SERVED
  const below = hasUsers ? BELOW.map((route) => `${route}/`) : []

  async function dispatch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request)
    if (registration.handles(path)) return registration.handle(request, response)
    if (own.paths.includes(path)) {
      const forwarded = await own.handle(request, response)
      if (forwarded === undefined) return
      pinHost(forwarded, deps.issuer)
      return engine.handle(forwarded, response)
    }
    const controller = controllers.find((each) => each.owns(path))
    if (controller !== undefined) {
      pinHost(request, deps.issuer)
      await engine.ready()
      return controller.handle(request, response)
    }
    if (!exact.includes(path) && !below.some((prefix) => path.startsWith(prefix))) {
      return answerJson(response, 404, {
        error: 'not_found',
        error_description: 'nothing is here',
      })
    }
    if (request.method === 'OPTIONS' && FOR_PAGES.has(path)) {
      const { origin } = request.headers
      const isRegistered = origin !== undefined && (await deps.isRegisteredOrigin(origin))
      return answerPreflight(response, origin, isRegistered)
    }
    if (path === ROUTES.token && early.check(request, response)) return
    pinHost(request, deps.issuer)
    if (isAuthorization(path) || (path === ROUTES.code_verification && request.method === 'GET')) {
      forgetEngineSession(request, isSecure)
    }
    const isForm = path === ROUTES.authorization || path === ROUTES.end_session
    if (isForm && request.method === 'POST') {
      if (!(await postAsGet(request))) {
        return answerJson(response, 413, {
          error: 'invalid_request',
          error_description: 'the request is longer than 56 KiB',
        })
      }
      // The form of an app is of another site: who is signed in is known only to what follows it.
      if (path === ROUTES.end_session) return answerSeeOther(response, request.url ?? path)
    }
    await engine.handle(request, response)
  }

  return {
    dispatch,
    routes: [
      ...exact,
      ...below.map((prefix) => `${prefix}*`),
      ...own.paths,
      ...controllers.flatMap(({ routes }) => routes),
      `${registration.path}/*`,
    ],
  }
}

/** @see OpenID Connect RP-Initiated Logout 1.0 §2: GET and POST */
function answerSeeOther(response: ServerResponse, location: string): void {
  response.writeHead(303, {
    Location: location,
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
  })
  response.end()
}

/** The authorization endpoint, and where the browser comes back to it. */
function isAuthorization(path: string): boolean {
  const { authorization, code_verification } = ROUTES
  return (
    path === authorization ||
    path.startsWith(`${authorization}/`) ||
    path.startsWith(`${code_verification}/`)
  )
}

export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? ''
}
