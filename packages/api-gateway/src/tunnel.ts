import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import { type ApiCheck, failedApi } from '@scopegate/checks'
import type { ApiCall } from './call.ts'
import { checkOf } from './forward.ts'
import { setsOwnCookie } from './login/own-cookies.ts'
import type { RefusalAnswer } from './refuse.ts'
import type { WebLogin } from './web-login.ts'

export interface TunnelDeps {
  readonly nowMs: () => number
  readonly logins: ReadonlyMap<string, WebLogin>
  readonly onError?: ((error: unknown, correlationId: string) => void) | undefined
  readonly judge: (
    call: ApiCall,
  ) => Promise<
    | { readonly kind: 'permitted'; readonly sessionId?: string }
    | { readonly kind: 'refused'; readonly answer: RefusalAnswer }
  >
  readonly isStillPermitted: (call: ApiCall) => Promise<boolean>
  readonly refusalOf: (call: ApiCall, check: ApiCheck) => RefusalAnswer
  readonly opened: (call: ApiCall) => void
}

export interface TunnelRequest {
  readonly call: ApiCall
  readonly socket: Duplex
  readonly head: Buffer
  readonly target: string
  readonly headers: () => Promise<string[]>
}

export interface Tunnels {
  /** Opens a WebSocket through to the upstream, if the caller may. */
  open(request: TunnelRequest): Promise<void>
  /** Ends all of them. */
  close(): void
}

interface OpenTunnel {
  readonly call: ApiCall
  readonly sessionId: string | undefined
  readonly end: () => void
}

/** How late the end of a token or session may be noticed, where nobody tells of it. */
const RECHECK_MS = 5000

/**
 * WebSockets: authenticated like any request, and ended when what opened them ends: the token
 * expires or is revoked, the session is over.
 * @see RFC 6455
 */
export function createTunnels(deps: TunnelDeps): Tunnels {
  const open = new Set<OpenTunnel>()
  const stops = [...deps.logins.values()].map((login) =>
    login.onEnded((sessionId) => {
      for (const tunnel of open) if (tunnel.sessionId === sessionId) tunnel.end()
    }),
  )
  const rechecking = setInterval(() => {
    for (const tunnel of open) {
      deps.isStillPermitted(tunnel.call).then(
        (isPermitted) => isPermitted || tunnel.end(),
        (error: unknown) => deps.onError?.(error, tunnel.call.correlationId),
      )
    }
  }, RECHECK_MS)
  rechecking.unref()

  return {
    async open({ call, socket, head, target, headers }) {
      socket.on('error', () => socket.destroy())
      const verdict = await deps.judge(call)
      if (verdict.kind === 'refused') return answer(socket, verdict.answer)
      const sent = await headers()
      const { api, request } = call
      const url = new URL(api.upstreamOrigin)
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest
      const upstream = send({
        hostname: url.hostname.replaceAll(/[[\]]/g, ''),
        port: url.port || (url.protocol === 'https:' ? 443 : 80),
        path: target,
        method: 'GET',
        agent: false,
        timeout: api.limits.headersTimeoutMs,
        // As a list it would be sent as it is, without a Host.
        headers: [...sent, 'Host', url.host, 'Connection', 'Upgrade', 'Upgrade', 'websocket'],
      })
      const hungUp = () => upstream.destroy()
      socket.once('close', hungUp)
      upstream.on('timeout', () => {
        const error: NodeJS.ErrnoException = new Error('the upstream did not answer')
        error.code = 'ETIMEDOUT'
        upstream.destroy(error)
      })
      upstream.on('error', (error) => {
        if (socket.destroyed) return
        deps.onError?.(error, call.correlationId)
        answer(socket, deps.refusalOf(call, checkOf(error, api)))
      })
      upstream.on('response', (response) => {
        response.resume()
        const got = `status ${response.statusCode} to a WebSocket handshake`
        const check = failedApi('upstream_broken', { expected: api.upstreamOrigin, got })
        answer(socket, deps.refusalOf(call, check))
      })
      upstream.on('upgrade', (response, far, farHead) => {
        socket.off('close', hungUp)
        upstream.setTimeout(0)
        far.setTimeout?.(0)
        if (socket.destroyed) {
          far.destroy()
          return
        }
        socket.write(switching(response, call.correlationId))
        if (farHead.length > 0) socket.write(farHead)
        if (head.length > 0) far.write(head)
        join(socket, far, {
          call,
          sessionId: verdict.sessionId,
          endsAtMs: endOf(call, deps.nowMs),
          open,
        })
        deps.opened(call)
      })
      void request
      upstream.end()
    },
    close() {
      clearInterval(rechecking)
      for (const stop of stops) stop()
      for (const tunnel of [...open]) tunnel.end()
    },
  }
}

function join(
  near: Duplex,
  far: Duplex,
  about: {
    readonly call: ApiCall
    readonly sessionId: string | undefined
    readonly endsAtMs: number | undefined
    readonly open: Set<OpenTunnel>
  },
): void {
  const { call, sessionId, endsAtMs, open } = about
  const end = () => {
    near.destroy()
    far.destroy()
  }
  const tunnel: OpenTunnel = { call, sessionId, end }
  open.add(tunnel)
  const timer = endsAtMs === undefined ? undefined : endAt(endsAtMs, end)
  const over = () => {
    open.delete(tunnel)
    timer?.stop()
    end()
  }
  for (const side of [near, far]) {
    side.on('error', over)
    side.on('close', over)
  }
  near.pipe(far)
  far.pipe(near)
}

/** When the credentials end by themselves; those of a session move with its use. */
function endOf({ caller }: ApiCall, nowMs: () => number): number | undefined {
  if (caller?.expiresAt === undefined || caller.fingerprint === undefined) return undefined
  return Date.now() + caller.expiresAt * 1000 - nowMs()
}

/** Timers cannot wait longer than 24.8 days. */
const MAX_TIMER_MS = 2 ** 31 - 1

function endAt(atMs: number, end: () => void): { stop(): void } {
  let timer: NodeJS.Timeout
  const wait = () => {
    const restMs = atMs - Date.now()
    if (restMs <= 0) return end()
    timer = setTimeout(wait, Math.min(restMs, MAX_TIMER_MS))
    timer.unref()
  }
  timer = setTimeout(wait, 0)
  return { stop: () => clearTimeout(timer) }
}

function switching({ rawHeaders }: IncomingMessage, correlationId: string): string {
  const lines = ['HTTP/1.1 101 Switching Protocols', `X-Request-Id: ${correlationId}`]
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name, value] = [rawHeaders[i]!, rawHeaders[i + 1]!]
    if (name.toLowerCase() === 'set-cookie' && setsOwnCookie(value)) continue
    lines.push(`${name}: ${value}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n`
}

function answer(socket: Duplex, { status, headers, body }: RefusalAnswer): void {
  const all = Object.entries({
    ...headers,
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  })
  const lines = all.flatMap(([name, value]) => [value].flat().map((each) => `${name}: ${each}`))
  socket.end(`HTTP/1.1 ${status} Refused\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
}
