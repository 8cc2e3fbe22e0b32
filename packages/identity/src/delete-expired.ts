import type { Pool } from 'pg'

const BATCH_ROWS = 5000

/**
 * Deletes what is over: sessions, attempts, known addresses, passkey challenges. In batches, so that
 * no transaction is long and no lock waits; may run in every process at once. The server calls it
 * every few minutes.
 *
 * @returns how many rows went
 */
export async function deleteExpiredIdentity({
  pool,
  nowMs,
  idleSeconds,
}: {
  readonly pool: Pool
  readonly nowMs: number
  /** As given to `createSessions`. */
  readonly idleSeconds: number
}): Promise<number> {
  const idleSince = nowMs - idleSeconds * 1000
  return (
    (await inBatches('identity_session', 'expires_ms <= $1 OR seen_ms <= $2', [nowMs, idleSince])) +
    (await inBatches('identity_attempt', 'expires_ms <= $1 AND blocked_ms <= $1', [nowMs])) +
    (await inBatches('identity_known_address', 'expires_ms <= $1', [nowMs])) +
    (await inBatches('identity_passkey_challenge', 'expires_ms <= $1', [nowMs]))
  )

  async function inBatches(
    table: string,
    condition: string,
    values: readonly number[],
  ): Promise<number> {
    let total = 0
    for (;;) {
      const { rowCount } = await pool.query(
        `DELETE FROM ${table} WHERE ctid = ANY (ARRAY (
           SELECT ctid FROM ${table} WHERE ${condition} LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED))`,
        [...values],
      )
      total += rowCount ?? 0
      if ((rowCount ?? 0) < BATCH_ROWS) return total
    }
  }
}
