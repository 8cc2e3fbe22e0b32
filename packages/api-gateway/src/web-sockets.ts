import type { Duplex } from 'node:stream'
import {
  type AnswerHeaders,
  answerSocket,
  createOpenTunnels,
  type OpenTunnels,
  openTunnel,
  type RequestToken,
  switchProtocols,
  type UpstreamFailure,
} from '@scopegate/upstream'
import type { ApiCall, Refusal } from './call.ts'
import { credentialsEndMs, isStillPermitted } from './credentials-end.ts'
import type { Judge } from './judge.ts'
import { type Mounted, targetOf } from './mount.ts'
import type { CallRecorder } from './record.ts'
import { upstreamTraceOf } from './record.ts'
import type { RefusalAnswer } from './refuse.ts'
import { callerHeadersOf } from './upstream-headers.ts'
import { checkOf, refuseWithoutToken } from './upstream-refusal.ts'
import type { WebLogin } from './web-login.ts'

export interface WebSocketDeps {
  readonly nowMs: () => number
  readonly logins: ReadonlyMap<string, WebLogin>
  readonly onError: ((error: unknown, correlationId: string) => void) | undefined
  readonly word: (call: ApiCall, refusal: Refusal) => RefusalAnswer
  readonly judge: Judge
  readonly recorder: CallRecorder
  readonly tokenFor: (
    at: Mounted,
    call: ApiCall,
    gone: () => AbortSignal,
  ) => Promise<RequestToken | undefined>
  readonly headersFor: (
    at: Mounted,
    call: ApiCall,
    token: RequestToken | undefined,
  ) => Promise<string[]>
  readonly made: (call: ApiCall) => Refusal['checks']
}

export interface WebSockets {
  /** Opens one through to the upstream, if the caller may. */
  open(at: Mounted, call: ApiCall, socket: Duplex, head: Buffer): Promise<void>
  /** Ends all of them. */
  close(): void
}

/**
 * WebSockets: judged like any request, and ended when what opened them ends: the token expires or is
 * revoked, the session is over.
 * @see RFC 6455
 */
export function createWebSockets(deps: WebSocketDeps): WebSockets {
  const { judge, recorder, made } = deps
  const tunnels: OpenTunnels = createOpenTunnels((error) => deps.onError?.(error, 'recheck'))
  const stops = [...deps.logins.values()].map((login) => login.onEnded(tunnels.endSession))

  function refuse(call: ApiCall, socket: Duplex, refusal: Refusal): RefusalAnswer {
    const answer = deps.word(call, refusal)
    const headers = Object.entries(answer.headers).flatMap(([name, value]) =>
      [value].flat().flatMap((each) => [name, each]),
    )
    answerSocket(socket, { ...answer, headers })
    return answer
  }

  async function shakeHands(at: Mounted, call: ApiCall, signal: AbortSignal) {
    const token = await deps.tokenFor(at, call, () => signal)
    if (token !== undefined) call.upstreamToken = token
    const make = () => deps.headersFor(at, call, token)
    const ask = async (headers: readonly string[]) =>
      openTunnel({ upstream: at.upstream, target: targetOf(at.api, call), headers, signal })
    const answer = await ask(await make())
    if (answer.kind !== 'answered' || token === undefined) return answer
    const { status, headers } = answer
    const decided = await token.reconsider({ status, headers, canReplay: true }, make)
    const { rejection } = token
    if (rejection?.kind === 'renewal-failed') throw rejection.error
    return decided?.kind === 'again' ? ask(decided.headers) : answer
  }

  return {
    async open(at, call, socket, head) {
      const { api } = at
      socket.on('error', () => socket.destroy())
      const judgement = await judge(call)
      if (judgement.kind !== 'permitted') {
        const { status } = refuse(call, socket, judgement.refusal)
        recorder.refusal(call, judgement.refusal, status)
        return
      }
      const gone = new AbortController()
      const hungUp = () => gone.abort()
      socket.once('close', hungUp)
      if (socket.destroyed) return

      const failed = (failure: UpstreamFailure, error?: Error) => {
        if (socket.destroyed) return
        if (error !== undefined) deps.onError?.(error, call.correlationId)
        const checks = [...made(call), checkOf(failure, api)]
        const { status } = refuse(call, socket, { checks })
        recorder.call(call, { outcome: 'failed', status }, () => checks)
      }
      let answer: Awaited<ReturnType<typeof shakeHands>>
      try {
        answer = await shakeHands(at, call, gone.signal)
      } catch (error) {
        if (socket.destroyed) return
        if (api.forward.tokenOf === undefined) throw error
        const refusal = refuseWithoutToken(error, api, deps.nowMs())
        const all = { ...refusal, checks: [...made(call), ...refusal.checks] }
        recorder.refusal(call, all, refuse(call, socket, all).status)
        return
      }
      if (answer.kind === 'failed') return failed(answer.failure, answer.error)
      if (answer.kind === 'answered') {
        const code = `status ${answer.status} to a WebSocket handshake`
        const kind = answer.status === 401 && api.forward.tokenOf ? 'token-rejected' : 'broken'
        return failed({ kind, code })
      }
      const { far } = answer
      socket.off('close', hungUp)
      if (socket.destroyed) {
        far.destroy()
        return
      }
      switchProtocols(socket, callerHeadersOf(withoutLength(answer.headers), call))
      if (head.length > 0) far.write(head)
      const sessionId = judgement.sessionId
      tunnels.join({
        near: socket,
        far,
        sessionId,
        endsAtMs: credentialsEndMs(call, deps.nowMs),
        isStillPermitted: () => isStillPermitted(call, judge),
      })
      const { connectMs, firstByteMs } = answer
      const timing = { attempts: 1, status: 101, connectMs, firstByteMs, totalMs: firstByteMs }
      const upstream = upstreamTraceOf(api.upstreamOrigin, { timing })
      recorder.call(call, { outcome: 'permitted', status: 101, upstream }, () => made(call))
    },
    close() {
      for (const stop of stops) stop()
      tunnels.close()
    },
  }
}

/** An answer that switches has no body to be long. @see RFC 9110 §8.6 */
function withoutLength(headers: AnswerHeaders): AnswerHeaders {
  return { ...headers, 'content-length': undefined }
}
