import { setTimeout as sleep } from 'node:timers/promises'

const LONGEST_MS = 120_000

/** Resolves when it is so. @throws after two minutes. */
export async function until(isSo: () => boolean): Promise<void> {
  const endMs = Date.now() + LONGEST_MS
  while (!isSo()) {
    if (Date.now() > endMs) throw new Error(`it did not come about: ${isSo}`)
    await sleep(5)
  }
}
