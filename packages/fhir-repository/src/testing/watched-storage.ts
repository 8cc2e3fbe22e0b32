import type { Storage } from '@scopegate/storage'

type Rows = readonly Readonly<Record<string, unknown>>[]

/** The same storage; `onRows` is told what every statement of a reading request brought, and waited for. */
export function watchedStorage(
  storage: Storage,
  onRows: (rows: Rows) => void | Promise<void>,
): Storage {
  const within: Storage['within'] = (limitMs) => {
    const queries = storage.within(limitMs)
    return {
      async query(config) {
        const result = await queries.query(config)
        await onRows(result.rows as Rows)
        return result as never
      },
    }
  }
  return { ...storage, within }
}
