import type { AuditKind } from './audit-log.ts'
import type { Pool } from './pool.ts'
import { TABLE } from './verify-audit.ts'

export interface PruneAuditOptions {
  readonly pool: Pool
  readonly kind: AuditKind
  /** Entries older than this are removed. */
  readonly keepSeconds: number
  /** Epoch milliseconds. */
  readonly nowMs: number
}

/**
 * Removes what is older than the retention, from the old end of every chain, and remembers where
 * each chain now begins, so that the rest can still be verified. A chain that is empty and has a
 * successor keeps its head. @returns how many entries went
 */
export async function pruneAudit(options: PruneAuditOptions): Promise<number> {
  const { pool, kind, keepSeconds, nowMs } = options
  const table = TABLE[kind]
  const client = await pool.connect()
  let failure: unknown
  try {
    await client.query('BEGIN')
    await client.query(`SET LOCAL scopegate.audit_retention = 'on'`)
    // The old end only: what follows an entry that stays has to stay.
    await client.query(
      `WITH cut AS (
         SELECT c.writer, coalesce(
           (SELECT min(a.seq) FROM ${table} a WHERE a.writer = c.writer AND a.at_ms >= $2),
           c.last_seq + 1) AS first
         FROM audit_chain c WHERE c.kind = $1
       ), last_gone AS (
         SELECT cut.writer, cut.first, a.hash
         FROM cut JOIN ${table} a ON a.writer = cut.writer AND a.seq = cut.first - 1
       )
       UPDATE audit_chain c SET first_seq = g.first, first_prev = g.hash
       FROM last_gone g WHERE c.writer = g.writer AND g.first > c.first_seq`,
      [kind, nowMs - keepSeconds * 1000],
    )
    const { rowCount } = await client.query(
      `DELETE FROM ${table} a USING audit_chain c WHERE a.writer = c.writer AND a.seq < c.first_seq`,
    )
    await client.query('COMMIT')
    return rowCount ?? 0
  } catch (error) {
    failure = error
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  } finally {
    client.release(failure !== undefined)
  }
}
