import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { correlationIdFrom } from '@scopegate/http'
import {
  type AnswerHeaders,
  answerSocket,
  createOpenTunnels,
  openTunnel,
  type RequestToken,
  switchProtocols,
  type TunnelAnswer,
} from '@scopegate/upstream'
import type { Admit } from './admit.ts'
import type { Diagnosis } from './diagnose.ts'
import { type OutboundCall, type OutboundRefusal, targetOf } from './outbound-call.ts'
import { answerHeadersOf, outboundHeadersOf } from './outbound-headers.ts'
import type { OutboundRecorder } from './record-outbound.ts'
import {
  type OutboundAnswer,
  refusalOf,
  refuseUpstream,
  refuseWithoutToken,
  withMade,
} from './refuse-outbound.ts'

export interface OutboundSocketsDeps {
  readonly admit: Admit
  readonly tokenFor: (call: OutboundCall, signal: AbortSignal) => Promise<RequestToken>
  readonly diagnose: (
    call: OutboundCall,
    status: number,
    headers: AnswerHeaders,
  ) => Diagnosis | undefined
  readonly recorder: OutboundRecorder
  readonly word: (
    refusal: OutboundRefusal,
    request: IncomingMessage,
    correlationId: string,
  ) => OutboundAnswer
  readonly nowMs: () => number
  readonly onError: ((error: unknown, correlationId: string) => void) | undefined
  /** Asked again while it is open, where callers authenticate themselves. */
  readonly isStillPermitted: ((request: IncomingMessage) => Promise<boolean>) | undefined
}

export interface OutboundSockets {
  open(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>
  close(): void
}

/** WebSockets through a connection: the token goes with the handshake. @see RFC 6455 */
export function createOutboundSockets(deps: OutboundSocketsDeps): OutboundSockets {
  const { recorder, word, nowMs } = deps
  const tunnels = createOpenTunnels((error) => deps.onError?.(error, 'recheck'))

  function refuse(
    socket: Duplex,
    refusal: OutboundRefusal,
    request: IncomingMessage,
    correlationId: string,
  ): number {
    const { status, headers, body } = word(refusal, request, correlationId)
    answerSocket(socket, { status, headers: Object.entries(headers).flat(), body })
    return status
  }

  async function shakeHands(call: OutboundCall, signal: AbortSignal): Promise<TunnelAnswer> {
    const token = await deps.tokenFor(call, signal)
    call.token = token
    const make = () => outboundHeadersOf(call, token)
    const { upstream } = call.route
    const target = targetOf(call)
    const first = await openTunnel({ upstream, target, headers: await make(), signal })
    if (first.kind !== 'answered') return first
    const { status, headers } = first
    const decided = await token.reconsider({ status, headers, canReplay: true }, make)
    if (decided?.kind === 'refuse' && token.rejection?.kind === 'renewal-failed') {
      throw token.rejection.error
    }
    if (decided?.kind !== 'again') return first
    return openTunnel({ upstream, target, headers: decided.headers, signal })
  }

  /** What the upstream said in place of a WebSocket is the caller's to read. */
  function passOn(
    call: OutboundCall,
    socket: Duplex,
    answer: Extract<TunnelAnswer, { kind: 'answered' }>,
  ): void {
    const { status, headers, body } = answer
    const diagnosis = deps.diagnose(call, status, headers)
    const out = answerHeadersOf(withoutLength(headers), call, diagnosis, call.token!)
    answerSocket(socket, { status, headers: out, body })
    const refusal = refusalOf(diagnosis, call)
    recorder.call(call, {
      status,
      outcome: 'refused',
      checks: refusal === undefined ? call.checks : withMade(call, refusal),
      upstream: { origin: call.route.upstream.origin, attempts: attemptsOf(call), status },
    })
  }

  return {
    async open(request, socket, head) {
      socket.on('error', () => socket.destroy())
      const admission = await deps.admit(request)
      if (admission.kind === 'nowhere') {
        const { refusal } = admission
        const correlationId = correlationIdFrom(request.headers['x-request-id'], nowMs())
        const { method = '', url = '' } = request
        const about = { method, url, correlationId, atMs: nowMs() }
        recorder.nowhere(about, refusal, refuse(socket, refusal, request, correlationId))
        return
      }
      const { call } = admission
      if (admission.kind === 'refused') {
        const { refusal } = admission
        recorder.refusal(call, refusal, refuse(socket, refusal, request, call.correlationId))
        return
      }
      const gone = new AbortController()
      const hungUp = () => gone.abort()
      socket.once('close', hungUp)
      if (socket.destroyed) return
      let answer: TunnelAnswer
      try {
        answer = await shakeHands(call, gone.signal)
      } catch (error) {
        if (socket.destroyed) return
        deps.onError?.(error, call.correlationId)
        const refusal = refuseWithoutToken(error, call, nowMs())
        const whole = { ...refusal, checks: withMade(call, refusal) }
        recorder.refusal(call, whole, refuse(socket, whole, request, call.correlationId))
        return
      }
      if (answer.kind === 'failed') {
        if (socket.destroyed) return
        deps.onError?.(answer.error, call.correlationId)
        const refusal = refuseUpstream(answer.failure, call, nowMs())
        const whole = { ...refusal, checks: withMade(call, refusal) }
        recorder.refusal(call, whole, refuse(socket, whole, request, call.correlationId))
        return
      }
      if (answer.kind === 'answered') return passOn(call, socket, answer)
      const { far, connectMs, firstByteMs } = answer
      socket.off('close', hungUp)
      if (socket.destroyed) {
        far.destroy()
        return
      }
      switchProtocols(
        socket,
        answerHeadersOf(withoutLength(answer.headers), call, undefined, call.token!),
      )
      if (head.length > 0) far.write(head)
      const { caller, route } = call
      const { isStillPermitted } = deps
      tunnels.join({
        ...{ near: socket, far },
        ...(caller && { endsAtMs: Date.now() + caller.expiresAt * 1000 - nowMs() }),
        ...(isStillPermitted && { isStillPermitted: () => isStillPermitted(request) }),
      })
      recorder.call(call, {
        ...{ status: 101, outcome: 'permitted', checks: call.checks },
        upstream: {
          ...{ origin: route.upstream.origin, attempts: attemptsOf(call), status: 101 },
          ...{ connectMs, firstByteMs },
        },
      })
    },
    close: () => tunnels.close(),
  }
}

function attemptsOf({ token }: OutboundCall): number {
  return token?.isRenewed ? 2 : 1
}

/** The body is framed anew. */
function withoutLength(headers: AnswerHeaders): AnswerHeaders {
  return { ...headers, 'content-length': undefined }
}
