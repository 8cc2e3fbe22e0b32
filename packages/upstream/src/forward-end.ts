import type { UpstreamFailure } from './upstream-failure.ts'

export interface ForwardEnd {
  /** `cut`: the answer had begun and could not be finished. */
  readonly outcome: 'done' | 'refused' | 'client-gone' | 'cut'
  readonly failure?: UpstreamFailure
  readonly error?: Error
  readonly timing: ForwardTiming
}

/** How it went at the upstream; times in milliseconds. */
export interface ForwardTiming {
  readonly attempts: number
  readonly status?: number
  /** Of the last attempt: until it had a free connection. */
  readonly connectMs?: number
  /** Of the last attempt: from the request to the headers of the answer. */
  readonly firstByteMs?: number
  /** From the first attempt to the last byte. */
  readonly totalMs: number
}
