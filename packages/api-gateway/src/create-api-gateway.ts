import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TraceOutcome } from '@scopegate/audit'
import { type AnyCheck, type ApiCheck, failed, failedApi, findFailure } from '@scopegate/checks'
import { correlationIdFrom } from '@scopegate/http'
import type { Api } from './api.ts'
import { type Authentication, createAuthenticate } from './authenticate.ts'
import type { ApiCall, Refusal } from './call.ts'
import { passedChecks, refuseCaller, refuseRoute } from './decide.ts'
import type { ApiGatewayDeps } from './deps.ts'
import { forward } from './forward.ts'
import { forwardedHeaders } from './forwarded-headers.ts'
import { identityHeadersOf } from './identity-headers.ts'
import { identityJwtOf } from './identity-jwt.ts'
import { traceOf } from './record.ts'
import { answerRefusal } from './refuse.ts'
import { copyRequestHeaders, createHeaderPolicy, type HeaderPolicy } from './request-headers.ts'
import { createSessionStreams } from './session-streams.ts'
import { createTunnels } from './tunnel.ts'
import { createUpstream, type Upstream } from './upstream.ts'
import type { WebLogin } from './web-login.ts'

export interface ApiGateway {
  /** `/bank/*`, one for each API. */
  readonly routes: readonly string[]
  /** Answers a request to `routes`. */
  node(request: IncomingMessage, response: ServerResponse): void
  /** Answers a WebSocket handshake to `routes`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  close(): Promise<void>
}

/** An API with what it takes to run it. */
interface Mounted {
  readonly api: Api
  readonly upstream: Upstream
  readonly policy: HeaderPolicy
  readonly login: WebLogin | undefined
  readonly loginPaths: readonly string[]
}

/**
 * Ordinary APIs behind their declarations: authenticates, decides by route, scopes and roles, and
 * passes bytes on. What no declaration permits is refused, with its reasons.
 */
export function createApiGateway(deps: ApiGatewayDeps): ApiGateway {
  const nowMs = deps.nowMs ?? Date.now
  const logins = deps.logins ?? new Map<string, WebLogin>()
  const { verifier, traces, url } = deps
  const { dpopAlgorithms } = verifier
  const authenticate = createAuthenticate({
    ...{ url, verifier, logins },
    passwords: deps.passwords,
  })
  const forwarded = forwardedHeaders({ url, isTrustedProxy: deps.isTrustedProxy })
  const mounted = new Map(deps.apis.map((api) => [api.path, mount(api)]))
  const deepest = Math.max(0, ...[...mounted.keys()].map((path) => path.split('/').length - 1))

  function mount(api: Api): Mounted {
    const login = logins.get(api.name)
    return {
      api,
      upstream: createUpstream(api, nowMs),
      policy: createHeaderPolicy(api),
      login,
      loginPaths: login?.routes ?? [],
    }
  }

  /** The API with the longest path that the target is at or below. */
  function find(path: string): Mounted | undefined {
    let end = 0
    let found: Mounted | undefined
    for (let depth = 0; depth < deepest && end !== path.length; depth += 1) {
      const slash = path.indexOf('/', end + 1)
      end = slash === -1 ? path.length : slash
      found = mounted.get(path.slice(0, end)) ?? found
    }
    return found
  }

  function callOf(at: Mounted, request: IncomingMessage): ApiCall {
    const target = request.url!
    const mark = target.indexOf('?')
    const path = mark === -1 ? target : target.slice(0, mark)
    const startedAtMs = nowMs()
    return {
      api: at.api,
      request,
      method: request.method!,
      path: path.slice(at.api.path.length) || '/',
      query: mark === -1 ? '' : target.slice(mark),
      correlationId: correlationIdFrom(request.headers['x-request-id'], startedAtMs),
      startedAtMs,
      address: forwarded.addressOf(request),
      checks: [],
    }
  }

  /** Whether the request may go on; else its refusal. Fills in route, caller and checks. */
  async function judge(call: ApiCall, response?: ServerResponse): Promise<Judgement> {
    const { api } = call
    const match = api.routes.match(call.method, call.path)
    if (match.kind === 'route') {
      call.route = match.route
      if (match.route.public) return PERMITTED
    }
    let verdict: Authentication
    try {
      verdict = await authenticate(call, response)
    } catch (error) {
      if (!isKeysUnavailable(error)) throw error
      deps.onError?.(error, call.correlationId)
      const refusal = { checks: [failed(error.code)], headers: { 'Retry-After': '5' } }
      return { kind: 'refused', refusal }
    }
    if (verdict.kind !== 'caller') return verdict
    call.caller = verdict.caller
    const refusal =
      refuseRoute(match, call) ?? refuseCaller(verdict.caller, call.route!, api.auth.requiredScopes)
    if (refusal !== undefined) {
      return {
        kind: 'refused',
        refusal: { ...refusal, checks: [...call.checks, ...refusal.checks] },
      }
    }
    return verdict.sessionId === undefined
      ? PERMITTED
      : { kind: 'permitted', sessionId: verdict.sessionId }
  }

  async function handle(at: Mounted, request: IncomingMessage, response: ServerResponse) {
    const call = callOf(at, request)
    const { api, upstream, login } = at
    response.once('finish', () => {
      deps.onAnswered?.(api, request, response.statusCode, (nowMs() - call.startedAtMs) / 1000)
    })
    if (login !== undefined && at.loginPaths.some((path) => isAt(path, pathOf(request.url!)))) {
      return login.handle(request, response, call.correlationId)
    }
    const judgement = await judge(call, response)
    if (judgement.kind === 'sign-in' && login !== undefined && isNavigation(request)) {
      return login.begin(request, response, call.correlationId)
    }
    if (judgement.kind !== 'permitted') return refuse(call, judgement.refusal, response)

    const early = tooLarge(request, api) ?? notNow(upstream, api)
    if (early !== undefined) return refuse(call, early, response)
    const headers = await headersFor(at, call)
    if (response.destroyed) return
    if (request.headers.expect !== undefined) response.writeContinue()
    forward({
      ...{ api, upstream, request, response, headers },
      target: targetOf(api, call),
      correlationId: call.correlationId,
      streaming: () => streams.add(judgement.sessionId, response),
      refuse: (check) => send(call, { checks: [...made(call), check] }, response),
      done({ outcome, check, error }) {
        if (error !== undefined) deps.onError?.(error, call.correlationId)
        const isFault = outcome === 'cut' || (outcome === 'refused' && response.statusCode >= 500)
        const how = isFault ? 'failed' : outcome === 'refused' ? 'refused' : 'permitted'
        const status =
          outcome === 'client-gone' && !response.headersSent ? 499 : response.statusCode
        record(call, how, status, () => (check === undefined ? made(call) : [...made(call), check]))
      },
    })
  }

  function made(call: ApiCall): readonly AnyCheck[] {
    return passedChecks(call, call.api.auth.requiredScopes)
  }

  /** What the upstream gets: the caller's headers without what is ours, and ours. */
  async function headersFor(at: Mounted, call: ApiCall): Promise<string[]> {
    const { api } = at
    const { request, caller } = call
    const headers: string[] = []
    copyRequestHeaders(request.rawHeaders, at.policy, request.headers.connection, headers)
    forwarded.append(request, api, headers)
    headers.push('x-request-id', call.correlationId)
    if (call.accessToken !== undefined) headers.push('authorization', `Bearer ${call.accessToken}`)
    if (caller !== undefined) {
      for (const each of identityHeadersOf(caller, api.forward)) headers.push(each)
      const { jwt } = api.forward
      if (jwt !== undefined && deps.signJwt !== undefined) {
        const now = Math.floor(nowMs() / 1000)
        const { signJwt } = deps
        headers.push(jwt.header, await identityJwtOf(caller, api, { issuer: url, signJwt, now }))
      }
    }
    return headers
  }

  function refuse(call: ApiCall, refusal: Refusal, response: ServerResponse): void {
    send(call, refusal, response)
    recordRefusal(call, refusal, response.statusCode)
  }

  function send(call: ApiCall, refusal: Refusal, response: ServerResponse): void {
    if (response.headersSent || response.destroyed) return
    const { status, headers, body } = answerRefusal(call, refusal, dpopAlgorithms)
    const { request } = call
    // A body that nobody wants is not read to its end to keep the connection.
    const isLong = !request.complete && !(Number(request.headers['content-length'] ?? 0) < 65_536)
    const hasPieces = !request.complete && request.headers['transfer-encoding'] !== undefined
    if (isLong || hasPieces) {
      response.setHeader('Connection', 'close')
      response.once('finish', () => setTimeout(() => request.socket.destroy(), 500).unref())
    }
    response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) } as never)
    response.end(call.method === 'HEAD' ? undefined : body)
  }

  function recordRefusal(call: ApiCall, refusal: Refusal, status: number): void {
    record(call, status >= 500 ? 'failed' : 'refused', status, () => refusal.checks)
    const { caller, claimed } = call
    const clientId = caller?.clientId ?? claimed?.clientId
    const issuer = caller?.issuer ?? claimed?.issuer
    const reason = findFailure(refusal.checks)?.code
    deps.audit
      ?.record({
        atMs: call.startedAtMs,
        correlationId: call.correlationId,
        endpoint: call.api.url,
        ...(issuer === undefined ? {} : { issuer }),
        ...(clientId === undefined ? {} : { clientId }),
        ...(caller === undefined ? {} : { subject: caller.subject }),
        interaction: call.method.toLowerCase(),
        decision: status >= 500 ? 'failed' : 'refused',
        status,
        count: 0,
        ...(reason === undefined ? {} : { reason }),
      })
      ?.catch((error: unknown) => deps.onError?.(error, call.correlationId))
  }

  function record(
    call: ApiCall,
    outcome: TraceOutcome,
    status: number,
    checks: () => readonly AnyCheck[],
  ): void {
    traces.record(outcome, () => traceOf(call, { outcome, status, endedAtMs: nowMs() }, checks()))
  }

  function fail(error: unknown, request: IncomingMessage, response: ServerResponse): void {
    const correlationId = correlationIdFrom(request.headers['x-request-id'], nowMs())
    deps.onError?.(error, correlationId)
    if (response.headersSent) {
      response.destroy()
      return
    }
    const problem = { title: 'Internal Server Error', status: 500, correlationId }
    response.writeHead(500, { 'Content-Type': 'application/problem+json' })
    response.end(`${JSON.stringify(problem)}\n`)
  }

  const streams = createSessionStreams([...logins.values()])
  const tunnels = createTunnels({
    nowMs,
    onError: deps.onError,
    logins,
    async judge(call) {
      const judgement = await judge(call)
      if (judgement.kind !== 'permitted') {
        const answer = answerRefusal(call, judgement.refusal, dpopAlgorithms)
        recordRefusal(call, judgement.refusal, answer.status)
        return { kind: 'refused', answer }
      }
      return judgement
    },
    /** Asked again while it is open: nobody is told of it. */
    isStillPermitted: async (call) => (await judge({ ...call, checks: [] })).kind === 'permitted',
    refusalOf: (call, check) => {
      const refusal = { checks: [...made(call), check] }
      const answer = answerRefusal(call, refusal, dpopAlgorithms)
      record(call, 'failed', answer.status, () => refusal.checks)
      return answer
    },
    opened: (call) => record(call, 'permitted', 101, () => made(call)),
  })

  return {
    routes: deps.apis.map(({ path }) => `${path}/*`),
    node(request, response) {
      const at = find(pathOf(request.url!))
      if (at === undefined) {
        response.writeHead(404).end()
        return
      }
      handle(at, request, response).catch((error) => fail(error, request, response))
    },
    upgrade(request, socket, head) {
      const at = find(pathOf(request.url!))
      if (at === undefined) {
        socket.destroy()
        return
      }
      const call = callOf(at, request)
      tunnels
        .open({
          ...{ call, socket, head },
          target: targetOf(at.api, call),
          headers: () => headersFor(at, call),
        })
        .catch((error: unknown) => {
          deps.onError?.(error, call.correlationId)
          socket.destroy()
        })
    },
    async close() {
      tunnels.close()
      streams.close()
      await Promise.all([...mounted.values()].map(({ upstream }) => upstream.close()))
    },
  }
}

type Judgement =
  | { readonly kind: 'permitted'; readonly sessionId?: string }
  | { readonly kind: 'refused' | 'sign-in'; readonly refusal: Refusal }

const PERMITTED: Judgement = Object.freeze({ kind: 'permitted' })

function targetOf({ upstreamPath, keepPath, path }: Api, call: ApiCall): string {
  const below = call.path === '/' && !endsWithSlash(call) ? '' : call.path
  const target = `${upstreamPath}${keepPath ? path : ''}${below}`
  return `${target === '' ? '/' : target}${call.query}`
}

/** `/bank` and `/bank/` are both the API itself; what came is passed on. */
function endsWithSlash({ request }: ApiCall): boolean {
  return pathOf(request.url!).endsWith('/')
}

function pathOf(target: string): string {
  const mark = target.indexOf('?')
  return mark === -1 ? target : target.slice(0, mark)
}

function isAt(pattern: string, path: string): boolean {
  if (!pattern.endsWith('/*')) return pattern === path
  return path === pattern.slice(0, -2) || path.startsWith(pattern.slice(0, -1))
}

/** A page that a person loads or a form that one sends, as opposed to what scripts ask for. */
function isNavigation({ headers }: IncomingMessage): boolean {
  const mode = headers['sec-fetch-mode']
  if (mode !== undefined && mode !== 'navigate') return false
  if (headers['x-requested-with'] === 'XMLHttpRequest') return false
  return headers.accept?.includes('text/html') === true
}

function tooLarge({ headers }: IncomingMessage, { limits }: Api): Refusal | undefined {
  const length = headers['content-length']
  if (length === undefined || Number(length) <= limits.bodyBytes) return undefined
  const detail = { expected: `${limits.bodyBytes} bytes`, got: `${length} bytes` }
  return { checks: [failedApi('request_too_large', detail)] }
}

function notNow(upstream: Upstream, { upstreamOrigin }: Api): Refusal | undefined {
  const busy = (check: ApiCheck, seconds: number): Refusal => ({
    checks: [check],
    headers: { 'Retry-After': String(seconds) },
  })
  if (upstream.active >= upstream.maxActive) {
    return busy(failedApi('upstream_busy', { expected: upstreamOrigin }), 1)
  }
  const pausedMs = upstream.breaker.pausedMs()
  if (pausedMs === undefined) return undefined
  const seconds = Math.max(1, Math.ceil(pausedMs / 1000))
  const detail = { expected: upstreamOrigin, got: `${seconds} s` }
  return busy(failedApi('upstream_paused', detail), seconds)
}

function isKeysUnavailable(error: unknown): error is Error & {
  readonly code: 'keys_unavailable' | 'introspection_unavailable'
} {
  const { code } = (error ?? {}) as { code?: unknown }
  return (
    error instanceof Error && (code === 'keys_unavailable' || code === 'introspection_unavailable')
  )
}
