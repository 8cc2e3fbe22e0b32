import { createHash } from 'node:crypto'
import { essentialWrite, type Storage } from '@scopegate/storage'
import type { UseOnce } from './used-once.ts'

/**
 * Single use across every process on one database: one statement, so that of many at once exactly
 * one gets `true`. Keeps hashes, beside the assertions of clients, whose cleaning removes them too.
 */
export function createSharedUseOnce(pool: Storage['pool']): UseOnce {
  return async (id, expiresAt) => {
    const client = await pool.connect()
    let failed = false
    try {
      const { rowCount } = await essentialWrite(client, (writing) =>
        writing.query({
          name: 'upstream-login-use-once',
          text: `INSERT INTO used_assertion (id, expires_at) VALUES ($1, to_timestamp($2))
                 ON CONFLICT (id) DO NOTHING`,
          values: [`upstream:${createHash('sha256').update(id).digest('base64url')}`, expiresAt],
        }),
      )
      return rowCount === 1
    } catch (error) {
      failed = true
      throw error
    } finally {
      client.release(failed)
    }
  }
}
