import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/** The caller went away in the middle of its body. */
export const CLIENT_GONE = new Error('the caller hung up')
export const TOO_LARGE = new Error('the body is larger than what is taken')

/** What of a body is taken in before it is sent on; whoever sent that much waits. */
const COLLECT_BYTES = 32 * 1024

/** What nobody reads any more is taken off the wire up to here, to keep the connection. */
const DISCARD_BYTES = 1024 * 1024

export interface RequestBodyOptions {
  readonly maxBytes: number
  /** Up to here it can be sent again. Default 0: it cannot. */
  readonly keepBytes?: number
  readonly events: RequestBodyEvents
}

export interface RequestBodyEvents {
  /** Nothing more of it comes. */
  whole(): void
  /** It is larger than `maxBytes`, and nothing of it was sent on. */
  tooLarge(): void
}

/**
 * The body of a request, in pieces as they come, for one attempt after the other: what came is kept
 * up to `keepBytes`, so that it can be sent again. Streams of its own: the client of the upstream
 * destroys what it could not send, and with the request itself the caller's connection would go, and
 * the answer with it.
 */
export class RequestBody {
  readonly #request: IncomingMessage
  readonly #maxBytes: number
  readonly #keepBytes: number
  readonly #events: RequestBodyEvents
  #kept: Buffer[] | undefined = []
  #received = 0
  #isOpened = false
  #isWhole = false
  #isReading = false
  #stream: Readable | undefined

  constructor(request: IncomingMessage, options: RequestBodyOptions) {
    const { maxBytes, keepBytes = 0, events } = options
    this.#request = request
    this.#maxBytes = maxBytes
    this.#events = events
    const length = Number(request.headers['content-length'] ?? 0)
    this.#keepBytes = length > keepBytes ? 0 : keepBytes
  }

  /** Whether all that came so far is still there. */
  get canReplay(): boolean {
    return this.#kept !== undefined
  }

  get receivedBytes(): number {
    return this.#received
  }

  /** Whether the caller is made to wait, by whoever reads what it sent. */
  get isHeldBack(): boolean {
    return this.#request.isPaused()
  }

  /** Takes the body in before it is sent on, up to a limit. Told of its end by `whole`. */
  collect(): void {
    this.#read()
  }

  /** The body from its beginning. @throws when that is gone */
  open(): Readable {
    this.#isOpened = true
    if (this.#kept === undefined) throw new Error('the body cannot be sent twice')
    const stream = new Readable({ read: () => void this.#request.resume() })
    // Whoever sends it on hears of it too; before and after that nobody does.
    stream.on('error', () => undefined)
    this.#stream = stream
    for (const chunk of this.#kept) stream.push(chunk)
    if (this.#isWhole) stream.push(null)
    if (this.#keepBytes === 0 || this.#received > this.#keepBytes) this.#kept = undefined
    this.#read()
    return stream
  }

  /** No attempt needs it any more: lets the rest of it pass, unless that is much. */
  discard(): void {
    const request = this.#request
    this.#kept = undefined
    this.#stream = undefined
    if (this.#isWhole || request.destroyed) return
    request.off('data', this.#onData).off('end', this.#onEnd)
    let discarded = 0
    request.on('data', (chunk: Buffer) => {
      discarded += chunk.length
      if (discarded > DISCARD_BYTES) request.destroy()
    })
    request.resume()
  }

  #read(): void {
    if (this.#isReading) return
    this.#isReading = true
    this.#request
      .on('data', this.#onData)
      .on('end', this.#onEnd)
      .on('error', this.#onGone)
      .on('close', this.#onGone)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#received += chunk.length
    if (this.#received > this.#maxBytes) {
      this.#kept = undefined
      this.#request.pause()
      if (this.#stream === undefined) this.#events.tooLarge()
      else this.#stream.destroy(TOO_LARGE)
      return
    }
    if (!this.#isOpened) {
      this.#kept?.push(chunk)
      if (this.#received >= COLLECT_BYTES) this.#request.pause()
      return
    }
    if (this.#received > this.#keepBytes) this.#kept = undefined
    this.#kept?.push(chunk)
    if (this.#stream?.push(chunk) === false) this.#request.pause()
  }

  readonly #onEnd = (): void => {
    this.#isWhole = true
    this.#stream?.push(null)
    this.#events.whole()
  }

  readonly #onGone = (): void => {
    if (!this.#request.complete) this.#stream?.destroy(CLIENT_GONE)
  }
}

/** The body of a request that has one. */
export function requestBodyOf(
  request: IncomingMessage,
  options: RequestBodyOptions,
): RequestBody | undefined {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
  if (encoding === undefined && (length === undefined || length === '0')) return undefined
  return new RequestBody(request, options)
}
