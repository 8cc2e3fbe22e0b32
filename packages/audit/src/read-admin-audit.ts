import type { AdminEvent } from './access-event.ts'
import type { Pool } from './pool.ts'

/** Which entries of the admin audit; what is left out is not asked. */
export interface AdminAuditQuery {
  /** `key.sign`, or the beginning of several: `key.` */
  readonly action?: string
  readonly clientId?: string
  /** `key/partner1`; matches whole. */
  readonly target?: string
  readonly correlationId?: string
  /** Epoch milliseconds: this one and later ones. */
  readonly fromMs?: number
  /** Epoch milliseconds: earlier ones. */
  readonly beforeMs?: number
  /** 1 to 500; default 50. */
  readonly limit?: number
}

/** An entry, or the place where entries were lost. */
export type AdminAuditEntry = AdminEvent | { readonly atMs: number; readonly lostBefore: number }

const LIMIT = { usual: 50, most: 500 }

/**
 * Entries of the admin audit, newest first, of all processes. Whether they are what was written is
 * for `verifyAudit` to say.
 */
export async function readAdminAudit(
  pool: Pool,
  query: AdminAuditQuery,
): Promise<readonly AdminAuditEntry[]> {
  const values: unknown[] = []
  const where = (
    [
      ["starts_with(entry->>'action', ?)", query.action],
      ['client_id = ?', query.clientId],
      ["entry->>'target' = ?", query.target],
      ["entry->>'correlationId' = ?", query.correlationId],
      ['at_ms >= ?', query.fromMs],
      ['at_ms < ?', query.beforeMs],
    ] as const
  ).flatMap(([condition, value]) => {
    if (value === undefined) return []
    values.push(value)
    return [condition.replace('?', `$${values.length}`)]
  })
  values.push(Math.min(Math.max(query.limit ?? LIMIT.usual, 1), LIMIT.most))
  const { rows } = await pool.query<{ readonly entry: AdminAuditEntry }>(
    `SELECT entry FROM audit_admin, LATERAL (SELECT content::jsonb AS entry) AS parsed
     ${where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`}
     ORDER BY at_ms DESC, writer, seq DESC LIMIT $${values.length}`,
    values,
  )
  return rows.map(({ entry }) => entry)
}
