import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { AnswerHeaders } from './response-headers.ts'
import type { Upstream } from './upstream.ts'
import { failureOf, type UpstreamFailure } from './upstream-failure.ts'

export type TunnelAnswer =
  | {
      readonly kind: 'open'
      readonly far: Duplex
      readonly headers: AnswerHeaders
      readonly connectMs: number
      readonly firstByteMs: number
    }
  /** The upstream answered with something else than 101. */
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headers: AnswerHeaders
      readonly body: Buffer
    }
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure; readonly error: Error }

/** What of a refusal is kept to be passed on. */
const REFUSAL_BYTES = 64 * 1024

/**
 * Shakes hands with the upstream for a WebSocket. @param request.headers without those of the hop
 * @see RFC 6455 §4
 */
export function openTunnel(request: {
  readonly upstream: Upstream
  readonly target: string
  readonly headers: readonly string[]
  readonly signal: AbortSignal
}): Promise<TunnelAnswer> {
  const { upstream, target, headers, signal } = request
  return new Promise((resolve) => {
    const fail = (error: Error) => resolve({ kind: 'failed', failure: failureOf(error), error })
    try {
      upstream.dispatcher.dispatch(
        {
          origin: upstream.origin,
          path: target,
          method: 'GET',
          headers: headers as string[],
          upgrade: 'websocket',
        },
        new Handshake(resolve, fail, signal),
      )
    } catch (error) {
      fail(error as Error)
    }
  })
}

class Handshake implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: TunnelAnswer) => void
  readonly #fail: (error: Error) => void
  readonly #signal: AbortSignal
  readonly #dispatchedMs = performance.now()
  #startedMs = 0
  #controller: Dispatcher.DispatchController | undefined
  #answer: { readonly status: number; readonly headers: AnswerHeaders } | undefined
  readonly #body: Buffer[] = []
  #bytes = 0

  constructor(
    resolve: (answer: TunnelAnswer) => void,
    fail: (error: Error) => void,
    signal: AbortSignal,
  ) {
    this.#resolve = resolve
    this.#fail = fail
    this.#signal = signal
  }

  readonly #onAbort = (): void => {
    this.#controller?.abort(new Error('the caller hung up'))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#startedMs = performance.now()
    if (this.#signal.aborted) this.#onAbort()
    else this.#signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  onRequestUpgrade(
    _controller: Dispatcher.DispatchController,
    _status: number,
    headers: AnswerHeaders,
    far: Duplex,
  ): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    const { connectMs, firstByteMs } = this.#timing()
    this.#resolve({ kind: 'open', far, headers, connectMs, firstByteMs })
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: AnswerHeaders,
  ): void {
    if (status < 200) return
    this.#answer = { status, headers }
    const length = Number(headers['content-length'] ?? 0)
    if (length > REFUSAL_BYTES) controller.abort(new Error('the refusal is too long'))
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes <= REFUSAL_BYTES) this.#body.push(chunk)
    else controller.abort(new Error('the refusal is too long'))
  }

  onResponseEnd(): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#answered(Buffer.concat(this.#body))
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    if (this.#answer === undefined) this.#fail(error)
    else this.#answered(Buffer.alloc(0))
  }

  #answered(body: Buffer): void {
    const { status, headers } = this.#answer!
    this.#resolve({ kind: 'answered', status, headers, body })
  }

  #timing() {
    return {
      connectMs: this.#startedMs - this.#dispatchedMs,
      firstByteMs: performance.now() - this.#startedMs,
    }
  }
}
