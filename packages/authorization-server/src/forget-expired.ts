import type { PoolClient } from 'pg'

const BATCH = 5000
const MAX_BATCHES = 20

const TABLES = [
  ['engine_model', 'expires_at < now()'],
  ['refresh_answer', 'expires_at < now()'],
  ['launch_handle', "expires_at < now() - interval '1 day'"],
  [
    'smart_grant_context',
    // A remembered consent outlives its tokens.
    `expires_at < now() AND
     (NOT remembered OR revoked_at IS NOT NULL OR created_at < now() - interval '366 days')`,
  ],
] as const

/**
 * Deletes what has expired, a few thousand rows at a time, in one of many processes at once. The
 * number of rows.
 */
export async function forgetExpired(
  transaction: <T>(work: (sql: PoolClient) => Promise<T>) => Promise<T>,
): Promise<number> {
  let total = 0
  for (const [table, isOver] of TABLES) {
    for (let batch = 0; batch < MAX_BATCHES; batch++) {
      const count = await transaction(async (sql) => {
        const { rows } = await sql.query<{ mine: boolean }>(
          `SELECT pg_try_advisory_xact_lock(hashtext('scopegate.forget-expired')) AS mine`,
        )
        if (rows[0]?.mine !== true) return 0
        const { rowCount } = await sql.query(
          `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
             SELECT ctid FROM ${table} WHERE ${isOver} LIMIT ${BATCH}))`,
        )
        return rowCount ?? 0
      })
      total += count
      if (count < BATCH) break
    }
  }
  return total
}
