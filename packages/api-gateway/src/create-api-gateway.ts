import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { limitFailures } from '@scopegate/http'
import { storageProblem } from '@scopegate/storage'
import { callerGone, forward, type RequestToken, requestToken } from '@scopegate/upstream'
import { createAuthenticate } from './authenticate.ts'
import type { ApiCall, Refusal } from './call.ts'
import { answerPreflight } from './cors.ts'
import { passedChecks } from './decide.ts'
import type { ApiGatewayDeps } from './deps.ts'
import { forwardedHeaders } from './forwarded-headers.ts'
import { createJudge } from './judge.ts'
import { callOf, findMounted, type Mounted, mount, pathOf, targetOf } from './mount.ts'
import { createOpenStreams } from './open-streams.ts'
import { createCallRecorder, upstreamTraceOf } from './record.ts'
import { answerRefusal } from './refuse.ts'
import { sendFault, sendRefusal } from './send-refusal.ts'
import { callerHeadersOf, upstreamHeadersOf } from './upstream-headers.ts'
import {
  refuseForNow,
  refuseLength,
  refuseReflection,
  refuseUpstream,
  refuseWithoutStorage,
  refuseWithoutToken,
} from './upstream-refusal.ts'
import type { WebLogin } from './web-login.ts'
import { createWebSockets } from './web-sockets.ts'

export interface ApiGateway {
  /** `/bank/*`, one for each API. */
  readonly routes: readonly string[]
  /** Answers a request to `routes`. */
  node(request: IncomingMessage, response: ServerResponse): void
  /** Answers a WebSocket handshake to `routes`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  close(): Promise<void>
}

/** A body up to here can be sent again after the upstream has refused the token of a connection. */
const REPLAY_BYTES = 1024 * 1024

/**
 * Ordinary APIs behind their declarations: authenticates, decides by route, scopes and roles, and
 * passes bytes on. What no declaration permits is refused, with its reasons.
 */
export function createApiGateway(deps: ApiGatewayDeps): ApiGateway {
  const nowMs = deps.nowMs ?? Date.now
  const logins = deps.logins ?? new Map<string, WebLogin>()
  const { verifier, url, tokens, onError } = deps
  const { passwords, signJwt } = deps
  const judge = createJudge(createAuthenticate({ url, verifier, logins, passwords }), onError)
  const recorder = createCallRecorder(deps, nowMs)
  const forwarded = forwardedHeaders({ url, isTrustedProxy: deps.isTrustedProxy })
  const mounted = new Map(
    deps.apis.map((api) => [api.path, mount(api, logins.get(api.name), nowMs)]),
  )
  const find = findMounted(mounted)
  const streams = createOpenStreams({ logins: [...logins.values()], judge, nowMs, onError })

  const word = (call: ApiCall, refusal: Refusal) =>
    limitFailures(
      answerRefusal(call, refusal, verifier.dpopAlgorithms, deps.callers),
      ...([call.request, call.correlationId, deps.countFailure] as const),
    )
  const made = (call: ApiCall) => passedChecks(call, call.api.auth.requiredScopes)
  const headersFor = (at: Mounted, call: ApiCall, token: RequestToken | undefined) =>
    upstreamHeadersOf(at, call, { url, forwarded, signJwt, nowMs }, token)
  const begin = ({ api }: Mounted, request: IncomingMessage) =>
    callOf(api, request, { nowMs, address: forwarded.addressOf(request) })

  /** @throws {TokenUnavailable} */
  async function tokenFor(at: Mounted, call: ApiCall, gone: () => AbortSignal) {
    const { api } = at
    const connection = api.forward.tokenOf
    if (connection === undefined) return undefined
    if (tokens === undefined) throw new Error(`no token source for the API ${api.name}`)
    const signal = gone()
    return requestToken({
      ...{ tokens, connection, nowMs, signal, memory: at.tokenMemory, method: call.method },
      url: `${api.upstreamOrigin}${pathOf(targetOf(api, call))}`,
    })
  }

  async function handle(at: Mounted, request: IncomingMessage, response: ServerResponse) {
    const call = begin(at, request)
    const { api, upstream, login } = at
    response.once('finish', () => {
      deps.onAnswered?.(api, request, response.statusCode, (nowMs() - call.startedAtMs) / 1000)
    })
    if (answerPreflight(api.cors, request, response)) return
    if (login !== undefined && at.loginPaths.some((path) => isAt(path, pathOf(request.url!)))) {
      return login.handle(request, response, call.correlationId)
    }
    const judgement = await judge(call, response)
    if (judgement.kind === 'sign-in' && login !== undefined && isNavigation(request)) {
      return login.begin(request, response, call.correlationId)
    }
    if (judgement.kind !== 'permitted') return refuse(call, judgement.refusal, response)
    const early = refuseReflection(call) ?? refuseLength(request.headers['content-length'], api)
    if (early !== undefined) return refuse(call, early, response)

    let token: RequestToken | undefined
    try {
      token = await tokenFor(at, call, () => callerGone(response))
    } catch (error) {
      if (response.destroyed) return
      onError?.(error, call.correlationId)
      return refuse(call, refuseWithoutToken(error, api, nowMs()), response)
    }
    if (token !== undefined) call.upstreamToken = token
    const notNow = refuseForNow(upstream)
    if (notNow !== undefined) return refuse(call, notNow, response)
    const headers = await headersFor(at, call, token)
    if (response.destroyed) return
    if (request.headers.expect !== undefined) response.writeContinue()
    forward({
      ...{ upstream, request, response, headers, target: targetOf(api, call) },
      ...(token && { replayBytes: REPLAY_BYTES }),
      answerHeaders: (_status, answered) => callerHeadersOf(answered, call),
      reconsider(answer) {
        const decision = token?.reconsider(answer, () => headersFor(at, call, token))
        if (token === undefined || answer.status !== 401) return decision
        // The caller's credentials are good: that ours are not is no 401 for it.
        const code = 'status 401'
        const refused = { kind: 'refuse', failure: { kind: 'token-rejected', code } } as const
        return Promise.resolve(decision).then((decided) =>
          decided?.kind === 'again' ? decided : refused,
        )
      },
      streaming: () => streams.add(call, judgement.sessionId, response),
      refuse: (failure) => {
        const refusal = refuseUpstream(failure, call, nowMs())
        const checks = [...made(call), ...refusal.checks]
        sendRefusal(call, { ...refusal, checks }, response, word)
      },
      done({ outcome, failure, error, timing }) {
        if (error !== undefined) onError?.(error, call.correlationId)
        const isFault = outcome === 'cut' || (outcome === 'refused' && response.statusCode >= 500)
        const how = isFault ? 'failed' : outcome === 'refused' ? 'refused' : 'permitted'
        const status =
          outcome === 'client-gone' && !response.headersSent ? 499 : response.statusCode
        const end = { outcome: how, status } as const
        const trace = upstreamTraceOf(api.upstreamOrigin, { timing, failure })
        recorder.call(call, { ...end, upstream: trace }, () =>
          failure === undefined
            ? made(call)
            : [...made(call), ...refuseUpstream(failure, call, nowMs()).checks],
        )
      },
    })
  }

  function refuse(call: ApiCall, refusal: Refusal, response: ServerResponse): void {
    sendRefusal(call, refusal, response, word)
    recorder.refusal(call, refusal, response.statusCode)
  }

  const webSockets = createWebSockets({
    ...{ nowMs, logins, onError, word, judge, recorder, tokenFor, headersFor, made },
  })

  return {
    routes: deps.apis.map(({ path }) => `${path}/*`),
    node(request, response) {
      const at = find(pathOf(request.url!))
      if (at === undefined) {
        response.writeHead(404).end()
        return
      }
      handle(at, request, response)
        .catch((error) => {
          const call = begin(at, request)
          onError?.(error, call.correlationId)
          if (storageProblem(error) === undefined || response.headersSent) {
            sendFault(response, call.correlationId)
          } else refuse(call, refuseWithoutStorage(), response)
        })
        .catch(() => response.destroy())
    },
    upgrade(request, socket, head) {
      const at = find(pathOf(request.url!))
      if (at === undefined) {
        socket.destroy()
        return
      }
      const call = begin(at, request)
      webSockets.open(at, call, socket, head).catch((error: unknown) => {
        onError?.(error, call.correlationId)
        socket.destroy()
      })
    },
    async close() {
      webSockets.close()
      streams.close()
      await Promise.all([...mounted.values()].map(({ upstream }) => upstream.close()))
    },
  }
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
