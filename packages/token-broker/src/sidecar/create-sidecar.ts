import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { AccessAudit, TraceSink } from '@scopegate/audit'
import { type CountFailure, correlationIdFrom, limitFailures } from '@scopegate/http'
import type { TokenSource, TokenVerifier } from '@scopegate/oauth-model'
import { storageProblem } from '@scopegate/storage'
import {
  type AnswerHeaders,
  callerGone,
  forward,
  type RequestToken,
  requestToken,
} from '@scopegate/upstream'
import { createAdmission } from './admit.ts'
import { type Diagnosis, diagnoseAnswer } from './diagnose.ts'
import { type OutboundCall, type OutboundRefusal, targetOf } from './outbound-call.ts'
import { answerHeadersOf, outboundHeadersOf } from './outbound-headers.ts'
import { createOutboundSockets } from './outbound-sockets.ts'
import { createOutboundStreams } from './outbound-streams.ts'
import { createOutboundRecorder } from './record-outbound.ts'
import {
  refusalOf,
  refuseForNow,
  refuseUpstream,
  refuseWithoutStorage,
  refuseWithoutToken,
  sendRefusal,
  withMade,
  wordRefusal,
} from './refuse-outbound.ts'
import { createRoute, SIDECAR_PATH, type SidecarConnection } from './sidecar-connection.ts'

export interface SidecarDeps {
  readonly tokens: TokenSource
  readonly connections: readonly SidecarConnection[]
  /** The public base URL of this server: `<url>/out/<connection>` is the audience of callers. */
  readonly url: string
  /**
   * `loopback`: the listener can be reached from this machine only, and no proxy stands before it.
   * `network`: every caller authenticates itself.
   */
  readonly reach: 'loopback' | 'network'
  /** Whether programs on this machine need no token. Default `open`. */
  readonly callersOnLoopback?: 'open' | 'authenticated'
  /** Of tokens of this server. */
  readonly verifier: TokenVerifier
  readonly traces: TraceSink
  /** Told of refusals. */
  readonly audit?: Pick<AccessAudit, 'record'>
  /** Epoch milliseconds. */
  readonly nowMs?: () => number
  /** Slows down who guesses: told of every 401. */
  readonly countFailure?: CountFailure
  /** Our own failures, and those of upstreams. */
  readonly onError?: (error: unknown, correlationId: string) => void
  /** A request was answered. */
  readonly onAnswered?: (request: IncomingMessage, status: number, seconds: number) => void
}

export interface Sidecar {
  /** `/out/*`. Bodies stream. */
  readonly routes: readonly string[]
  node(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Ends connections and WebSockets. */
  close(): Promise<void>
}

/**
 * The forward sidecar: `/out/<connection>/…` goes to the upstream of the connection with its token.
 * Without a token, or where the connection does not lead there, nothing is sent. Redirects are
 * passed on, never followed.
 */
export function createSidecar(deps: SidecarDeps): Sidecar {
  const { tokens, url, reach, verifier, onError } = deps
  const nowMs = deps.nowMs ?? Date.now
  const isOpen = reach === 'loopback' && deps.callersOnLoopback !== 'authenticated'
  const options = { prefix: SIDECAR_PATH, url, nowMs }
  const routes = new Map(deps.connections.map((each) => [each.name, createRoute(each, options)]))
  const admit = createAdmission({ routes, url, reach, isOpen, verifier, nowMs })
  const recorder = createOutboundRecorder(deps, nowMs)
  const isStillPermitted = async (request: IncomingMessage) => {
    const admission = await admit(request, { isInspected: true })
    // What was verified stays so while its keys cannot be had: a timer ends it with its token.
    return admission.kind === 'call' || isOutage(admission.refusal)
  }
  const streams = createOutboundStreams({
    ...{ nowMs, onError },
    isStillPermitted: isOpen ? undefined : isStillPermitted,
  })
  const nowSeconds = () => Math.floor(nowMs() / 1000)
  const { dpopAlgorithms } = verifier
  const word = (refusal: OutboundRefusal, request: IncomingMessage, correlationId: string) => {
    const answer = wordRefusal(refusal, { correlationId, dpopAlgorithms })
    return limitFailures(answer, request, correlationId, deps.countFailure)
  }

  /** @throws {TokenUnavailable} */
  async function tokenFor(call: OutboundCall, signal: AbortSignal): Promise<RequestToken> {
    const { route, method } = call
    const { connection, memory } = route
    return requestToken({
      ...{ tokens, memory, nowMs, signal, method },
      connection: connection.name,
      url: urlOf(call),
    })
  }

  function diagnose(call: OutboundCall, status: number, headers: AnswerHeaders) {
    const { route, token } = call
    const about = { connection: route.connection, token: token!, url: urlOf(call) }
    return diagnoseAnswer({ status, headers }, { ...about, nowSeconds: nowSeconds() })
  }

  function refuse(call: OutboundCall, refusal: OutboundRefusal, response: ServerResponse): void {
    const whole = { ...refusal, checks: withMade(call, refusal) }
    sendRefusal(call.request, response, word(whole, call.request, call.correlationId))
    recorder.refusal(call, whole, response.statusCode)
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedMs = nowMs()
    response.once('finish', () => {
      deps.onAnswered?.(request, response.statusCode, (nowMs() - startedMs) / 1000)
    })
    const admission = await admit(request)
    if (admission.kind === 'nowhere') {
      const { refusal } = admission
      const correlationId = correlationIdFrom(request.headers['x-request-id'], startedMs)
      sendRefusal(request, response, word(refusal, request, correlationId))
      const { method = '', url: asked = '' } = request
      const about = { method, url: asked, correlationId, atMs: startedMs }
      return recorder.nowhere(about, refusal, response.statusCode)
    }
    const { call } = admission
    if (admission.kind === 'refused') return refuse(call, admission.refusal, response)
    let token: RequestToken
    let headers: readonly string[]
    try {
      token = await tokenFor(call, callerGone(response))
      call.token = token
      headers = await outboundHeadersOf(call, token)
    } catch (error) {
      if (response.destroyed) return
      onError?.(error, call.correlationId)
      return refuse(call, refuseWithoutToken(error, call, nowMs()), response)
    }
    if (response.destroyed) return
    const { upstream, replayBytes } = call.route
    const notNow = refuseForNow(call)
    if (notNow !== undefined) return refuse(call, notNow, response)
    if (request.headers.expect !== undefined) response.writeContinue()
    let diagnosis: Diagnosis | undefined
    forward({
      ...{ upstream, request, response, headers, replayBytes, target: targetOf(call) },
      reconsider: (answer) => token.reconsider(answer, () => outboundHeadersOf(call, token)),
      answerHeaders(status, answered) {
        diagnosis = diagnose(call, status, answered)
        return answerHeadersOf(answered, call, diagnosis, token)
      },
      streaming: () => streams.add(call, response),
      refuse(failure) {
        const refusal = refuseUpstream(failure, call, nowMs())
        const whole = { ...refusal, checks: withMade(call, refusal) }
        sendRefusal(request, response, word(whole, request, call.correlationId))
      },
      done({ outcome, failure, error, timing }) {
        if (error !== undefined) onError?.(error, call.correlationId)
        const refusal =
          failure === undefined
            ? refusalOf(diagnosis, call)
            : refuseUpstream(failure, call, nowMs())
        const isFault = outcome === 'cut' || (outcome === 'refused' && response.statusCode >= 500)
        const isRefused = outcome === 'refused' || refusal !== undefined
        const status =
          outcome === 'client-gone' && !response.headersSent ? 499 : response.statusCode
        recorder.call(call, {
          status,
          outcome: isFault ? 'failed' : isRefused ? 'refused' : 'permitted',
          checks: refusal === undefined ? call.checks : withMade(call, refusal),
          upstream: {
            ...{ origin: upstream.origin, ...timing },
            ...(failure && { failure: failure.code }),
          },
        })
      },
    })
  }

  const sockets = createOutboundSockets({
    ...{ admit, tokenFor, recorder, word, nowMs, diagnose, onError },
    isStillPermitted: isOpen ? undefined : isStillPermitted,
  })

  return {
    routes: [`${SIDECAR_PATH}/*`],
    node(request, response) {
      handle(request, response).catch((error) => {
        const correlationId = correlationIdFrom(request.headers['x-request-id'], nowMs())
        onError?.(error, correlationId)
        if (response.headersSent) response.destroy()
        else if (storageProblem(error) !== undefined) {
          sendRefusal(request, response, word(refuseWithoutStorage(), request, correlationId))
        } else {
          const problem = { title: 'Internal Server Error', status: 500, correlationId }
          response.writeHead(500, { 'Content-Type': 'application/problem+json' })
          response.end(`${JSON.stringify(problem)}\n`)
        }
      })
    },
    upgrade(request, socket, head) {
      sockets.open(request, socket, head).catch((error: unknown) => {
        onError?.(error, correlationIdFrom(request.headers['x-request-id'], nowMs()))
        socket.destroy()
      })
    },
    async close() {
      sockets.close()
      streams.close()
      await Promise.all([...routes.values()].map(({ upstream }) => upstream.close()))
    },
  }
}

function isOutage({ checks }: OutboundRefusal): boolean {
  return checks.some(({ code }) => code === 'keys_unavailable')
}

/** Of the upstream, without the query: what proofs of possession are about. */
function urlOf(call: OutboundCall): string {
  const { route } = call
  return `${route.upstream.origin}${targetOf({ ...call, query: '' })}`
}
