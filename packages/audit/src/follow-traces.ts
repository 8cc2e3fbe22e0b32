import type { Trace } from './trace.ts'

/** One trace with the place where it is stored. */
export interface StoredTrace {
  readonly id: number
  readonly trace: Trace
}

export interface FollowOptions {
  /** Ends it. */
  readonly signal: AbortSignal
  readonly everyMs: number
  /** The id of the newest trace there is. */
  newest(): Promise<number>
  /** Traces with a larger id that fit, oldest first. */
  after(id: number): Promise<readonly StoredTrace[]>
}

/**
 * Transactions of several processes do not become visible in the order of their ids: so many ids
 * are looked at again.
 */
const LOOK_BACK = 1000

/** Traces of all processes as they are written, until `signal` says so. Each comes once. */
export async function* followTraces(options: FollowOptions): AsyncGenerator<Trace, void> {
  const { signal, everyMs, newest, after } = options
  const begin = await newest()
  let last = begin
  let seen = new Set<number>()
  while (!signal.aborted) {
    for (const { id, trace } of await after(Math.max(begin, last - LOOK_BACK))) {
      if (seen.has(id)) continue
      seen.add(id)
      last = Math.max(last, id)
      yield trace
      if (signal.aborted) return
    }
    if (seen.size > 2 * LOOK_BACK) {
      seen = new Set([...seen].filter((id) => id > last - LOOK_BACK))
    }
    await pause(everyMs, signal)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
