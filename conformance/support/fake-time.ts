/** Time that passes when a test says so. */
export interface FakeTime {
  /** The wall clock here. */
  nowMs(): number
  monotonicMs(): number
  /** The wall clock of the provider. */
  providerMs(): number
  /** Resolves once time has passed; rejects when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Lets time pass, for everybody, and who slept until then go on. */
  pass(seconds: number): Promise<void>
  /** Somebody sets the clock here: time itself does not pass. */
  setWallClock(bySeconds: number): void
}

export function createFakeTime(startedMs: number): FakeTime {
  let elapsedMs = 0
  let wallMs = startedMs
  const sleeping = new Set<{ readonly untilMs: number; readonly wake: () => void }>()

  return {
    nowMs: () => wallMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    providerMs: () => startedMs + elapsedMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { untilMs: elapsedMs + ms, wake: resolve }
        signal?.addEventListener(
          'abort',
          () => {
            sleeping.delete(sleeper)
            reject(signal.reason)
          },
          { once: true },
        )
        if (signal?.aborted) reject(signal.reason)
        else sleeping.add(sleeper)
      }),
    async pass(seconds) {
      elapsedMs += seconds * 1000
      for (const sleeper of [...sleeping]) {
        if (sleeper.untilMs > elapsedMs) continue
        sleeping.delete(sleeper)
        sleeper.wake()
      }
      await new Promise((resolve) => setImmediate(resolve))
    },
    setWallClock(bySeconds) {
      wallMs += bySeconds * 1000
    },
  }
}
