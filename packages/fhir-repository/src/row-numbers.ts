import { type Queryable, run } from './statement.ts'

const BLOCK = 256

/** Gives out fresh row numbers, ascending: the order of creation is the order of pages. */
export interface RowNumbers {
  take(count: number): Promise<number[]>
}

/** Takes numbers from the sequence in blocks, so that a create needs no question of its own. */
export function createRowNumbers(on: Queryable): RowNumbers {
  let stock: number[] = []
  let refilling: Promise<void> = Promise.resolve()
  const refill = async (atLeast: number) => {
    if (stock.length >= atLeast) return
    const rows = await run<{ sk: number }>(
      on,
      `select nextval('res_sk') as sk from generate_series(1, $1::int4)`,
      [Math.max(BLOCK, atLeast)],
    )
    stock = [...stock, ...rows.map((row) => row.sk)].sort((a, b) => a - b)
  }
  return {
    async take(count) {
      while (stock.length < count) {
        refilling = refilling.catch(() => {}).then(() => refill(count))
        await refilling
      }
      return stock.splice(0, count)
    },
  }
}
