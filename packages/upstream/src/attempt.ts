import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { AnswerHeaders } from './response-headers.ts'
import type { Upstream } from './upstream.ts'

/** What becomes of one attempt, told in this order. */
export interface AttemptEvents {
  started(attempt: Attempt): void
  answered(status: number, headers: AnswerHeaders, statusMessage: string | undefined): void
  data(attempt: Attempt, chunk: Buffer): void
  ended(trailers: AnswerHeaders): void
  failed(error: Error): void
}

/** What of an answer that nobody wants is read to keep its connection. */
const ABANDONED_BYTES = 64 * 1024

/**
 * A request, sent once. Its answer can be held back while somebody decides about it, and be
 * abandoned for another attempt.
 */
export class Attempt implements Dispatcher.DispatchHandler {
  #events: AttemptEvents | undefined
  #controller: Dispatcher.DispatchController | undefined
  #held: (() => void)[] | undefined
  #abandonedBytes = 0
  #isOver = false
  readonly #dispatchedMs = performance.now()
  #startedMs: number | undefined
  #answeredMs: number | undefined

  constructor(events: AttemptEvents) {
    this.#events = events
  }

  dispatch(
    upstream: Upstream,
    request: {
      readonly path: string
      readonly method: string
      readonly headers: readonly string[]
      readonly body: Readable | null
    },
  ): void {
    upstream.dispatcher.dispatch(
      {
        origin: upstream.origin,
        path: request.path,
        method: request.method as Dispatcher.HttpMethod,
        headers: request.headers as string[],
        body: request.body,
      },
      this,
    )
  }

  /** In milliseconds; what did not happen is missing. */
  get timing(): { readonly connectMs?: number; readonly firstByteMs?: number } {
    if (this.#startedMs === undefined) return {}
    return {
      connectMs: this.#startedMs - this.#dispatchedMs,
      ...(this.#answeredMs !== undefined && { firstByteMs: this.#answeredMs - this.#startedMs }),
    }
  }

  get isPaused(): boolean {
    return this.#controller?.paused === true
  }

  pause(): void {
    this.#controller?.pause()
  }

  resume(): void {
    if (this.#held === undefined) this.#controller?.resume()
  }

  /** @returns whether it had begun, so that its failure will be told */
  abort(reason: Error): boolean {
    // What is held back would hide it.
    this.#held = undefined
    if (this.#controller === undefined || this.#isOver) return false
    this.#controller.abort(reason)
    return true
  }

  /** Nothing more is told until `release`. */
  hold(): void {
    this.#held = []
    this.#controller?.pause()
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const tell of held) tell()
    if (!this.#isOver) this.#controller?.resume()
  }

  /** Nobody wants to know the rest. */
  abandon(): void {
    this.#events = undefined
    this.#held = undefined
    this.#controller?.resume()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#startedMs = performance.now()
    this.#events?.started(this)
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: AnswerHeaders,
    statusMessage?: string,
  ): void {
    // 1xx: what the upstream says in between is for the hop.
    if (status < 200) return
    this.#answeredMs = performance.now()
    this.#events?.answered(status, headers, statusMessage)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#events === undefined) {
      this.#abandonedBytes += chunk.length
      if (this.#abandonedBytes > ABANDONED_BYTES) controller.abort(new Error('not wanted'))
      return
    }
    this.#tell((events) => events.data(this, chunk))
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: AnswerHeaders): void {
    this.#isOver = true
    this.#tell((events) => events.ended(trailers))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#isOver = true
    this.#tell((events) => events.failed(error))
  }

  #tell(what: (events: AttemptEvents) => void): void {
    const events = this.#events
    if (events === undefined) return
    if (this.#held === undefined) what(events)
    else this.#held.push(() => what(events))
  }
}
