import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Readable, Transform } from 'node:stream'
import { type ApiCheck, failedApi } from '@scopegate/checks'
import type { Dispatcher } from 'undici'
import type { Api } from './api.ts'
import { copyResponseHeaders } from './response-headers.ts'
import type { Upstream } from './upstream.ts'

export interface Forwarding {
  readonly api: Api
  readonly upstream: Upstream
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** As the upstream sees it. */
  readonly target: string
  /** Name and value by turns. */
  readonly headers: string[]
  readonly correlationId: string
  /** The answer is a stream of events, which goes on for as long as both sides like. */
  readonly streaming?: () => void
  /** Nothing was answered yet, and the upstream gave no answer. */
  readonly refuse: (check: ApiCheck) => void
  /** Everything is over. `upstreamMs`: until the headers of the answer came. */
  readonly done: (end: ForwardEnd) => void
}

export interface ForwardEnd {
  /** `cut`: the answer had begun and could not be finished. */
  readonly outcome: 'done' | 'refused' | 'client-gone' | 'cut'
  readonly check?: ApiCheck
  readonly error?: Error
}

const CLIENT_GONE = new Error('the caller hung up')
const TOO_LARGE = new Error('the body is larger than the API takes')

/**
 * Passes a request on and its answer back, as streams with back-pressure both ways. Whoever hangs
 * up frees the connection to the upstream at once, also while the request still waits for one.
 */
export function forward(forwarding: Forwarding): void {
  new Exchange(forwarding).start()
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #forwarding: Forwarding
  #controller: Dispatcher.DispatchController | undefined
  #isClosed = false
  #hasBegun = false
  #hasDrain = false
  #isRetried = false
  #over = false
  readonly #body: Readable | null

  constructor(forwarding: Forwarding) {
    this.#forwarding = forwarding
    this.#body = bodyOf(forwarding.request, forwarding.api.limits.bodyBytes)
  }

  start(): void {
    const { response, upstream } = this.#forwarding
    upstream.active += 1
    response.on('close', this.#onClose)
    this.#dispatch()
  }

  #dispatch(): void {
    const { upstream, request, target, headers } = this.#forwarding
    try {
      upstream.pool.dispatch(
        {
          path: target,
          method: request.method as Dispatcher.HttpMethod,
          headers,
          body: this.#body,
        },
        this,
      )
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  readonly #onClose = (): void => {
    this.#isClosed = true
    if (this.#over) return
    if (this.#controller !== undefined) this.#controller.abort(CLIENT_GONE)
    // A request that waits for a connection is dropped when its turn comes.
    else this.#end({ outcome: 'client-gone' })
  }

  readonly #onStalled = (): void => {
    if (this.#controller?.paused) this.#forwarding.response.destroy()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isClosed) controller.abort(CLIENT_GONE)
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    statusMessage?: string,
  ): void {
    // 1xx: what the upstream says in between is for the hop.
    if (status < 200 || this.#isClosed) return
    const { response, api, correlationId, upstream } = this.#forwarding
    this.#hasBegun = true
    upstream.breaker.succeeded()
    const out = copyResponseHeaders(headers, api, correlationId)
    if (statusMessage) response.writeHead(status, statusMessage, out)
    else response.writeHead(status, out)
    if (String(headers['content-type']).startsWith('text/event-stream')) {
      this.#forwarding.streaming?.()
    }
    // Who waits for events must see that the stream is open.
    if (headers['content-length'] === undefined) response.flushHeaders()
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isClosed) return
    const { response } = this.#forwarding
    if (response.write(chunk)) return
    controller.pause()
    // Who reads nothing at all would keep a connection to the upstream for as long as it likes. The
    // time counts from the last byte that the caller took.
    const { bodyTimeoutMs } = this.#forwarding.api.limits
    response.setTimeout(bodyTimeoutMs, this.#onStalled)
    if (this.#hasDrain) return
    this.#hasDrain = true
    response.on('drain', () => {
      response.setTimeout(0)
      this.#controller?.resume()
    })
  }

  onResponseEnd(
    _controller: Dispatcher.DispatchController,
    trailers: Record<string, string | string[] | undefined>,
  ): void {
    if (this.#isClosed) return
    const { response } = this.#forwarding
    if (!isEmpty(trailers)) response.addTrailers(trailers as Record<string, string>)
    response.end()
    this.#end({ outcome: 'done' })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return
    this.#fail(error)
  }

  #fail(error: Error): void {
    const { request, response, api, upstream, refuse } = this.#forwarding
    if (this.#isClosed || error === CLIENT_GONE) {
      this.#end({ outcome: 'client-gone' })
      return
    }
    if (error === TOO_LARGE) {
      const check = failedApi('request_too_large', { expected: `${api.limits.bodyBytes} bytes` })
      if (this.#hasBegun) response.destroy()
      else refuse(check)
      this.#end({ outcome: 'refused', check })
      return
    }
    if (this.#mayRetry(error)) {
      this.#isRetried = true
      this.#controller = undefined
      this.#dispatch()
      return
    }
    // Broken by the caller while it sent its body: nobody is there to be told.
    if (request.destroyed && !request.complete) {
      this.#end({ outcome: 'client-gone' })
      return
    }
    upstream.breaker.failed()
    const check = checkOf(error, api)
    if (this.#hasBegun) {
      // The only way to say in HTTP/1.1 that an answer is not whole.
      response.destroy()
      this.#end({ outcome: 'cut', check, error })
      return
    }
    refuse(check)
    this.#end({ outcome: 'refused', check, error })
  }

  /** Once, what changes nothing, when the upstream closed a connection that it had kept open. */
  #mayRetry(error: Error): boolean {
    const { method } = this.#forwarding.request
    if (this.#isRetried || this.#hasBegun || this.#body !== null) return false
    if (method !== 'GET' && method !== 'HEAD') return false
    const { code } = error as NodeJS.ErrnoException
    return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
  }

  #end(end: ForwardEnd): void {
    if (this.#over) return
    this.#over = true
    const { response, upstream, done } = this.#forwarding
    upstream.active -= 1
    response.off('close', this.#onClose)
    done(end)
  }
}

/**
 * The body in pieces, counted. A stream of its own: the client of the upstream destroys what it could
 * not send, and with the request itself the caller's connection would go, and the answer with it.
 */
function bodyOf(request: IncomingMessage, maxBytes: number): Readable | null {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
  if (encoding === undefined && (length === undefined || length === '0')) return null
  let received = 0
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      received += chunk.length
      if (received > maxBytes) next(TOO_LARGE)
      else next(null, chunk)
    },
  })
  // Whoever sends it on hears of it too; before and after that nobody does.
  counted.on('error', () => undefined)
  request.on('error', () => counted.destroy(CLIENT_GONE))
  request.on('close', () => {
    if (!request.complete) counted.destroy(CLIENT_GONE)
  })
  return request.pipe(counted)
}

function isEmpty(members: object): boolean {
  for (const _ in members) return false
  return true
}

const TIMEOUTS = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
])
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
])

/** What an upstream did wrong, without a word of what it said. */
export function checkOf(error: Error, api: Pick<Api, 'upstreamOrigin'>): ApiCheck {
  const { code = 'no code' } = error as NodeJS.ErrnoException
  const detail = { expected: api.upstreamOrigin, got: code }
  if (TIMEOUTS.has(code)) return failedApi('upstream_timeout', detail)
  if (UNREACHABLE.has(code)) return failedApi('upstream_unreachable', detail)
  return failedApi('upstream_broken', detail)
}
