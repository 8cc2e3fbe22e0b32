/** Leaves an upstream alone that fails again and again. */
export interface Breaker {
  /** `undefined`: go on. Else how long nothing is sent, in milliseconds. */
  pausedMs(): number | undefined
  succeeded(): void
  failed(): void
}

/**
 * After `failures` in a row nothing is sent for `pauseMs`; then one request at a time finds out
 * whether the upstream is back.
 */
export function createBreaker(failures: number, pauseMs: number, nowMs: () => number): Breaker {
  let inRow = 0
  let pausedUntilMs = 0
  let triedAtMs = 0
  return {
    pausedMs() {
      if (inRow < failures) return undefined
      const now = nowMs()
      if (now < pausedUntilMs) return pausedUntilMs - now
      // One tries; it may also never come back, so the next may try after as long a pause.
      if (triedAtMs !== 0 && now - triedAtMs < pauseMs) return pauseMs - (now - triedAtMs)
      triedAtMs = now
      return undefined
    },
    succeeded() {
      inRow = 0
      triedAtMs = 0
    },
    failed() {
      inRow += 1
      triedAtMs = 0
      if (inRow >= failures) pausedUntilMs = nowMs() + pauseMs
    },
  }
}
