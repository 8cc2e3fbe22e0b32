/** Random choices that a seed repeats. */
export interface Seeded {
  /** 0 ≤ n < `below`, a whole number. */
  below(below: number): number
  pick<Item>(items: readonly Item[]): Item
  /** True once in so many times. */
  once(inTimes: number): boolean
}

/** mulberry32: small and good enough to choose test cases with. */
export function seeded(seed: number): Seeded {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    below,
    pick: (items) => items[below(items.length)]!,
    once: (inTimes) => below(inTimes) === 0,
  }
}
