import type { UpstreamLimits } from './limits.ts'

/** A request whose body is still on its way to us. */
export interface Upload {
  /** Of its body, so far. */
  readonly receivedBytes: number
  /** It could send more, and we do not let it: its pace is not its own. */
  readonly isHeldBack: boolean
  /** It is sent on from now. */
  begin(): void
  /** Others wait for its place, and it does not use it. */
  tooSlow(): void
}

interface Mark {
  readonly bytes: number
  readonly atMs: number
}

/**
 * Which requests may hold a connection to the upstream while their bodies still come. They get half
 * of the connections: those who send slowly, or never end, cannot take the other half from requests
 * that are whole. Who finds no place waits without a connection, and goes ahead at once when its body
 * is whole. Costs nothing to requests without a body, and waits for nothing while there is room.
 */
export class Uploads {
  readonly #limits: UpstreamLimits
  readonly #nowMs: () => number
  readonly #places: number
  readonly #running = new Map<Upload, Mark>()
  readonly #waiting = new Map<Upload, Mark>()
  #isAdmitting = false
  #checkedMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(limits: UpstreamLimits, nowMs: () => number) {
    this.#limits = limits
    this.#nowMs = nowMs
    this.#places = Math.max(1, Math.floor(limits.connections / 2))
  }

  /** `wait`: `begin` is called when its turn comes. `full`: it is neither sent nor kept. */
  enter(upload: Upload): 'begin' | 'wait' | 'full' {
    if (this.#running.size < this.#places) {
      this.#running.set(upload, this.#markOf(upload))
      return 'begin'
    }
    if (this.#waiting.size >= this.#limits.queued) return 'full'
    this.#waiting.set(upload, this.#markOf(upload))
    this.#watch()
    return 'wait'
  }

  /** Nothing more of its body comes. Who waited is sent on: it needs no place any more. */
  whole(upload: Upload): void {
    const hasWaited = this.#waiting.has(upload)
    this.leave(upload)
    if (hasWaited) upload.begin()
  }

  /** It is over, or its body has come; repeatable. */
  leave(upload: Upload): void {
    this.#waiting.delete(upload)
    this.#running.delete(upload)
    this.#admit()
    if (this.#waiting.size === 0) this.#rest()
  }

  #admit(): void {
    // What begins may end in the same moment, and come here again.
    if (this.#isAdmitting) return
    this.#isAdmitting = true
    try {
      while (this.#waiting.size > 0 && this.#running.size < this.#places) {
        const next = this.#next()
        this.#waiting.delete(next)
        this.#running.set(next, this.#markOf(next))
        next.begin()
      }
    } finally {
      this.#isAdmitting = false
    }
  }

  /** Who has shown that it sends goes before who may only hold the place. */
  #next(): Upload {
    for (const upload of this.#waiting.keys()) if (upload.isHeldBack) return upload
    return this.#waiting.keys().next().value!
  }

  #watch(): void {
    const { bodyBytesPerSecond, bodyWindowMs } = this.#limits
    if (this.#timer !== undefined || bodyBytesPerSecond === 0) return
    // As long as nobody waited, nobody was in the way.
    this.#beginAgain()
    const everyMs = Math.max(10, Math.min(1000, bodyWindowMs / 4))
    this.#timer = setInterval(() => this.#check(everyMs), everyMs).unref()
  }

  #beginAgain(): void {
    for (const uploads of [this.#running, this.#waiting]) {
      for (const upload of uploads.keys()) uploads.set(upload, this.#markOf(upload))
    }
    this.#checkedMs = this.#nowMs()
  }

  #rest(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #check(everyMs: number): void {
    const { bodyBytesPerSecond, bodyWindowMs } = this.#limits
    const now = this.#nowMs()
    // Where we were late ourselves, what was sent may not have been read yet.
    if (now - this.#checkedMs > 3 * everyMs) {
      this.#beginAgain()
      return
    }
    this.#checkedMs = now
    const slow: Upload[] = []
    for (const uploads of [this.#running, this.#waiting]) {
      for (const [upload, { bytes, atMs }] of uploads) {
        const tookMs = now - atMs
        if (!upload.isHeldBack && tookMs < bodyWindowMs) continue
        const least = (tookMs / 1000) * bodyBytesPerSecond
        const isSlow = !upload.isHeldBack && upload.receivedBytes - bytes < least
        if (isSlow) slow.push(upload)
        else uploads.set(upload, this.#markOf(upload))
      }
    }
    for (const upload of slow) upload.tooSlow()
  }

  #markOf({ receivedBytes }: Upload): Mark {
    return { bytes: receivedBytes, atMs: this.#nowMs() }
  }
}
