import { setTimeout as sleepFor } from 'node:timers/promises'
import type { Sleep } from './token-broker.ts'

const LONGEST_TIMER_MS = 2 ** 31 - 1

export const defaultSleep: Sleep = async (ms, signal) => {
  await sleepFor(Math.min(ms, LONGEST_TIMER_MS), undefined, signal && { signal })
}

/** Keeps no process alive. */
export const idleSleep: Sleep = async (ms, signal) => {
  const options = { ref: false, ...(signal && { signal }) }
  await sleepFor(Math.min(ms, LONGEST_TIMER_MS), undefined, options)
}
