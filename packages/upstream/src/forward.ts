import type { IncomingMessage, ServerResponse } from 'node:http'
import { Attempt, type AttemptEvents } from './attempt.ts'
import type { ForwardEnd, ForwardTiming } from './forward-end.ts'
import { NO_PLACE, OWN_REFUSALS, TOO_SLOW } from './own-refusals.ts'
import {
  CLIENT_GONE,
  type RequestBody,
  type RequestBodyEvents,
  requestBodyOf,
  TOO_LARGE,
} from './request-body.ts'
import type { AnswerHeaders } from './response-headers.ts'
import { passableTrailers } from './response-headers.ts'
import type { Upload } from './uploads.ts'
import type { Upstream } from './upstream.ts'
import { failureOf, type UpstreamFailure } from './upstream-failure.ts'

export interface Forwarding {
  readonly upstream: Upstream
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** As the upstream sees it: path and query. */
  readonly target: string
  /** Name and value by turns. */
  readonly headers: readonly string[]
  /** A body is kept up to here, so that it can be sent again. Default 0: none is. */
  readonly replayBytes?: number
  /** The headers of the answer as the caller gets them, name and value by turns. */
  readonly answerHeaders: (status: number, headers: AnswerHeaders) => readonly string[]
  /** Told of each answer before anything of it is passed on. `undefined`: it is, at once. */
  readonly reconsider?: (answer: Answer) => Promise<Reconsidered> | undefined
  /** The answer is a stream of events, which goes on for as long as both sides like. */
  readonly streaming?: () => void
  /** Nothing was answered yet, and the upstream gave no answer. */
  readonly refuse: (failure: UpstreamFailure) => void
  /** Everything is over. */
  readonly done: (end: ForwardEnd) => void
}

export interface Answer {
  readonly status: number
  readonly headers: AnswerHeaders
  /** Whether all of the request is still there to be sent again. */
  readonly canReplay: boolean
}

export type Reconsidered =
  | { readonly kind: 'pass' }
  /** The request is sent once more, with these headers. Only of answers with `canReplay`. */
  | { readonly kind: 'again'; readonly headers: readonly string[] }
  | { readonly kind: 'refuse'; readonly failure: UpstreamFailure }

/**
 * Passes a request on and its answer back, as streams with back-pressure both ways. Whoever hangs
 * up frees the connection to the upstream at once, also while the request still waits for one.
 * Trailers of an answer are passed on, those of a request are not (RFC 9112 §7.1.2 permits it).
 */
export function forward(forwarding: Forwarding): void {
  new Exchange(forwarding).start()
}

/** undici reads it as UTF-8; Node refuses to write what is not a byte each. @see RFC 9112 §4 */
const REASON = /^[\t\x20-\x7e]+$/

class Exchange implements AttemptEvents, RequestBodyEvents, Upload {
  readonly #forwarding: Forwarding
  readonly #body: RequestBody | undefined
  readonly #startedMs = performance.now()
  #attempt: Attempt | undefined
  #attempts = 0
  #status: number | undefined
  #isActive = false
  #isClosed = false
  #hasBegun = false
  #hasDrain = false
  #isRetried = false
  #over = false

  constructor(forwarding: Forwarding) {
    const { request, upstream, replayBytes = 0 } = forwarding
    this.#forwarding = forwarding
    const maxBytes = upstream.limits.bodyBytes
    this.#body = requestBodyOf(request, { maxBytes, keepBytes: replayBytes, events: this })
  }

  start(): void {
    const { request, response, upstream } = this.#forwarding
    response.on('close', this.#onClose)
    const isWhole = this.#body === undefined || request.complete
    const place = isWhole ? 'begin' : upstream.uploads.enter(this)
    if (place === 'begin') this.begin()
    else if (place === 'wait') this.#body?.collect()
    else this.failed(NO_PLACE)
  }

  begin(): void {
    if (this.#over) return
    const { upstream, headers } = this.#forwarding
    if (upstream.active >= upstream.maxActive) {
      this.failed(NO_PLACE)
      return
    }
    upstream.active += 1
    this.#isActive = true
    this.#dispatch(headers)
  }

  get receivedBytes(): number {
    return this.#body?.receivedBytes ?? 0
  }

  get isHeldBack(): boolean {
    return this.#hasBegun || this.#body?.isHeldBack === true
  }

  whole(): void {
    this.#forwarding.upstream.uploads.whole(this)
  }

  tooLarge(): void {
    this.failed(TOO_LARGE)
  }

  tooSlow(): void {
    if (this.#attempt?.abort(TOO_SLOW) !== true) this.failed(TOO_SLOW)
  }

  #dispatch(headers: readonly string[]): void {
    const { upstream, request, target } = this.#forwarding
    this.#attempts += 1
    this.#attempt = new Attempt(this)
    try {
      this.#attempt.dispatch(upstream, {
        path: target,
        method: request.method!,
        headers,
        body: this.#body?.open() ?? null,
      })
    } catch (error) {
      this.failed(error as Error)
    }
  }

  readonly #onClose = (): void => {
    this.#isClosed = true
    if (this.#over) return
    // A request that waits for a connection is dropped when its turn comes.
    if (this.#attempt?.abort(CLIENT_GONE) !== true) this.#end({ outcome: 'client-gone' })
  }

  readonly #onStalled = (): void => {
    if (this.#attempt?.isPaused) this.#forwarding.response.destroy()
  }

  started(attempt: Attempt): void {
    if (this.#isClosed || this.#over) attempt.abort(CLIENT_GONE)
  }

  answered(status: number, headers: AnswerHeaders, statusMessage: string | undefined): void {
    if (this.#isClosed) return
    const { reconsider, upstream } = this.#forwarding
    this.#status = status
    upstream.breaker.succeeded()
    const canReplay = this.#body === undefined || this.#body.canReplay
    const decision = reconsider?.({ status, headers, canReplay })
    if (decision === undefined) {
      this.#begin(status, headers, statusMessage)
      return
    }
    const attempt = this.#attempt!
    attempt.hold()
    const passOn = () => {
      if (this.#over) return
      this.#begin(status, headers, statusMessage)
      attempt.release()
    }
    decision
      .then((decided) => {
        if (this.#over) return
        if (decided.kind === 'pass') return passOn()
        attempt.abandon()
        if (decided.kind === 'again') return this.#dispatch(decided.headers)
        this.#forwarding.refuse(decided.failure)
        this.#end({ outcome: 'refused', failure: decided.failure })
      }, passOn)
      // What cannot be passed on ends this one request, and not the process.
      .catch((error: unknown) => {
        attempt.abandon()
        this.failed(error as Error)
      })
  }

  #begin(status: number, headers: AnswerHeaders, statusMessage: string | undefined): void {
    const { response, answerHeaders, streaming } = this.#forwarding
    const out = [...answerHeaders(status, headers)]
    if (statusMessage && REASON.test(statusMessage)) response.writeHead(status, statusMessage, out)
    else response.writeHead(status, out)
    // Not before: of what could not be written, the caller is told.
    this.#hasBegun = true
    if (String(headers['content-type']).startsWith('text/event-stream')) streaming?.()
    // Who waits for events must see that the stream is open.
    if (headers['content-length'] === undefined) response.flushHeaders()
  }

  data(attempt: Attempt, chunk: Buffer): void {
    if (this.#isClosed) return
    const { response, upstream } = this.#forwarding
    if (response.write(chunk)) return
    attempt.pause()
    // Who reads nothing at all would keep a connection to the upstream for as long as it likes. The
    // time counts from the last byte that the caller took.
    response.setTimeout(upstream.limits.bodyTimeoutMs)
    if (this.#hasDrain) return
    this.#hasDrain = true
    response.on('timeout', this.#onStalled)
    response.on('drain', () => {
      response.setTimeout(0)
      this.#attempt?.resume()
    })
  }

  ended(trailers: AnswerHeaders): void {
    if (this.#isClosed) return
    const { response } = this.#forwarding
    const passed = passableTrailers(trailers)
    if (passed !== undefined) response.addTrailers(passed)
    response.end()
    this.#end({ outcome: 'done' })
  }

  failed(error: Error): void {
    if (this.#over) return
    const { request, response, upstream, refuse, headers } = this.#forwarding
    if (this.#isClosed || error === CLIENT_GONE) {
      this.#end({ outcome: 'client-gone' })
      return
    }
    const refused = OWN_REFUSALS.get(error)
    if (refused !== undefined) {
      if (this.#hasBegun) response.destroy()
      else refuse(refused)
      this.#end({ outcome: 'refused', failure: refused })
      return
    }
    if (this.#mayRetry(error)) {
      this.#isRetried = true
      this.#dispatch(headers)
      return
    }
    // Broken by the caller while it sent its body: nobody is there to be told.
    if (request.destroyed && !request.complete) {
      this.#end({ outcome: 'client-gone' })
      return
    }
    upstream.breaker.failed()
    const failure = failureOf(error)
    if (this.#hasBegun) {
      // The only way to say in HTTP/1.1 that an answer is not whole.
      response.destroy()
      this.#end({ outcome: 'cut', failure, error })
      return
    }
    refuse(failure)
    this.#end({ outcome: 'refused', failure, error })
  }

  /** Once, what changes nothing, when the upstream closed a connection that it had kept open. */
  #mayRetry(error: Error): boolean {
    const { method } = this.#forwarding.request
    if (this.#isRetried || this.#attempts > 1 || this.#hasBegun) return false
    if (this.#body !== undefined || (method !== 'GET' && method !== 'HEAD')) return false
    const { code } = error as NodeJS.ErrnoException
    return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE'
  }

  #end(end: Omit<ForwardEnd, 'timing'>): void {
    if (this.#over) return
    this.#over = true
    const { response, upstream, done } = this.#forwarding
    if (this.#isActive) upstream.active -= 1
    if (this.#body !== undefined) upstream.uploads.leave(this)
    response.off('close', this.#onClose)
    this.#body?.discard()
    const timing: ForwardTiming = {
      attempts: this.#attempts,
      ...(this.#status !== undefined && { status: this.#status }),
      ...this.#attempt?.timing,
      totalMs: performance.now() - this.#startedMs,
    }
    done({ ...end, timing })
  }
}
