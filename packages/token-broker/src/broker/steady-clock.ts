/** A wall clock that leaves the monotonic one by that much was set, or the machine slept. */
const STEP_MS = 1000

/**
 * Time for ageing: runs with the monotonic clock, never backwards, and catches up when the wall clock
 * leaps ahead (a machine that slept: its monotonic clock stood still, its tokens grew old).
 * Somebody who sets the clock ahead costs one early renewal; back, nothing.
 *
 * @returns milliseconds since some point in the past
 */
export function createSteadyClock(nowMs: () => number, monotonicMs: () => number): () => number {
  let offsetMs = 0
  let apartMs = nowMs() - monotonicMs()
  return () => {
    const monotonic = monotonicMs()
    const leapMs = nowMs() - monotonic - apartMs
    if (Math.abs(leapMs) >= STEP_MS) {
      apartMs += leapMs
      if (leapMs > 0) offsetMs += leapMs
    }
    return monotonic + offsetMs
  }
}
