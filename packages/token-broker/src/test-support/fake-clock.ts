import { setImmediate } from 'node:timers/promises'

export interface FakeClock {
  readonly nowMs: () => number
  readonly monotonicMs: () => number
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  /** Lets that much time pass, and everything happen that was waiting for it. */
  advance(ms: number): Promise<void>
  /** Sets the wall clock alone. */
  leap(ms: number): void
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>
}

/** 2026-01-01T00:00:00Z */
const START_MS = 1_767_225_600_000

export function createFakeClock(): FakeClock {
  let monotonic = 5000
  let leapt = 0
  const timers = new Set<{ readonly atMs: number; readonly wake: () => void }>()

  async function settle(): Promise<void> {
    for (let turn = 0; turn < 30; turn++) await setImmediate()
  }

  return {
    nowMs: () => START_MS + monotonic + leapt,
    monotonicMs: () => monotonic,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const timer = { atMs: monotonic + ms, wake: resolve }
        timers.add(timer)
        signal?.addEventListener('abort', () => {
          timers.delete(timer)
          reject(signal.reason)
        })
      }),
    async advance(ms) {
      const untilMs = monotonic + ms
      await settle()
      for (;;) {
        const due = [...timers].filter(({ atMs }) => atMs <= untilMs)
        const next = due.sort((a, b) => a.atMs - b.atMs)[0]
        if (next === undefined) break
        timers.delete(next)
        monotonic = Math.max(monotonic, next.atMs)
        next.wake()
        await settle()
      }
      monotonic = untilMs
      await settle()
    },
    leap(ms) {
      leapt += ms
    },
    settle,
  }
}
