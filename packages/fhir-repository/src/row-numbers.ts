import { type Queryable, run } from './statement.ts'

const BLOCK = 256

/** Gives out fresh row numbers, ascending: the order of creation is the order of pages. */
export interface RowNumbers {
  /**
   * @param on The caller's own connection. A second one out of the pool could be waited for by
   *   everyone who holds a first one.
   */
  take(count: number, on: Queryable): Promise<number[]>
}

/** Takes numbers from the sequence in blocks, so that a create needs no question of its own. */
export function createRowNumbers(): RowNumbers {
  let stock: number[] = []
  let refilling: Promise<void> = Promise.resolve()
  const refill = async (atLeast: number, on: Queryable) => {
    if (stock.length >= atLeast) return
    const rows = await run<{ sk: number }>(
      on,
      `select nextval('res_sk') as sk from generate_series(1, $1::int4)`,
      [Math.max(BLOCK, atLeast)],
    )
    stock = [...stock, ...rows.map((row) => row.sk)].sort((a, b) => a - b)
  }
  return {
    async take(count, on) {
      while (stock.length < count) {
        refilling = refilling.catch(() => {}).then(() => refill(count, on))
        await refilling
      }
      return stock.splice(0, count)
    },
  }
}
