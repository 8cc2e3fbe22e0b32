/** Timers cannot wait longer than 24.8 days. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Calls `end` when the time has come, however late that is.
 *
 * @param atMs epoch milliseconds by the clock of timers; in the past: as soon as possible
 */
export function endAt(atMs: number, end: () => void): { stop(): void } {
  let timer: NodeJS.Timeout
  const wait = () => {
    const restMs = atMs - Date.now()
    if (restMs <= 0) return end()
    timer = setTimeout(wait, Math.min(restMs, MAX_TIMER_MS))
    timer.unref()
  }
  timer = setTimeout(wait, 0)
  return { stop: () => clearTimeout(timer) }
}
