import type { Pool } from 'pg'
import { type Key, typeKey } from './keys.ts'
import type { KeyEstimate } from './request.ts'

const FRESH_MS = 60_000

/**
 * How common keys are, from the planner's own statistics (kept current by autovacuum). Only the
 * plan depends on it, never an answer. Read again in the background when old.
 */
export function createKeyEstimate(pool: Pool, now: () => number): KeyEstimate {
  let rows = new Map<Key, number>()
  let readAtMs = Number.NEGATIVE_INFINITY
  const refresh = async () => {
    const { rows: found } = await pool.query<{ key: string; rows: number }>(
      `select e.key, (e.frequency * c.reltuples)::float8 as rows
       from pg_stats s join pg_class c on c.oid = 'res'::regclass,
         unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) as e(key, frequency)
       where s.schemaname = current_schema() and s.tablename = 'res' and s.attname = 'keys'
         and e.key is not null and c.reltuples > 0`,
    )
    rows = new Map(found.map(({ key, rows: count }) => [key, count]))
  }
  const look = () => {
    const nowMs = now()
    if (nowMs - readAtMs < FRESH_MS) return
    readAtMs = nowMs
    // A plan without statistics is slower and as right: nothing is lost when this fails.
    refresh().catch(() => {})
  }
  return {
    refresh,
    rowsWith(key) {
      look()
      return rows.get(key)
    },
    rowsOf(type) {
      look()
      return rows.size === 0 ? undefined : (rows.get(typeKey(type)) ?? 0)
    },
  }
}
