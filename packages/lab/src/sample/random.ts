/**
 * A small deterministic generator (mulberry32): the same seed gives the same sample on every
 * machine. Not for secrets.
 */
export interface Random {
  /** A number in `[0, 1)`. */
  next(): number
  /** A whole number in `[low, high]`. */
  whole(low: number, high: number): number
  /** A decimal in `[low, high]` with `digits` after the point. */
  decimal(low: number, high: number, digits: number): number
  pick<T>(from: readonly T[]): T
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  const whole = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))
  return {
    next,
    whole,
    decimal: (low, high, digits) => Number((low + next() * (high - low)).toFixed(digits)),
    pick: (from) => from[whole(0, from.length - 1)]!,
  }
}
