import { essentialWrite } from '@scopegate/storage'
import type { Pool } from 'pg'

/** Remembers assertions, so that each works once. */
export interface UsedAssertions {
  /**
   * Marks it used; `false` if it was used before. One statement, so that of many at once, on any
   * number of servers, exactly one gets `true`.
   */
  consume(id: string, keepSeconds: number): Promise<boolean>
  /** Forgets what has expired; run now and then. The number of rows removed. */
  forgetExpired(): Promise<number>
}

export function createUsedAssertions(pool: Pool): UsedAssertions {
  return {
    async consume(id, keepSeconds) {
      const client = await pool.connect()
      let failed = false
      try {
        const { rowCount } = await essentialWrite(client, (writing) =>
          writing.query({
            name: 'oauth-use-assertion',
            text: `INSERT INTO used_assertion (id, expires_at)
                   VALUES ($1, now() + make_interval(secs => $2))
                   ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at
                    WHERE used_assertion.expires_at < now()`,
            values: [id, keepSeconds],
          }),
        )
        return rowCount === 1
      } catch (error) {
        failed = true
        throw error
      } finally {
        client.release(failed)
      }
    },

    async forgetExpired() {
      const { rowCount } = await pool.query(
        `DELETE FROM used_assertion WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM used_assertion WHERE expires_at < now() LIMIT 5000))`,
      )
      return rowCount ?? 0
    },
  }
}
