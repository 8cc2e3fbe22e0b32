import type { Storage } from '@scopegate/storage'
import type { TokenStore } from './token-store.ts'

export interface SealedTables {
  readonly pool: Pick<Storage['pool'], 'query'>
  readonly seal: (value: unknown, context: string) => string
  readonly unseal: <Value>(sealed: string, context: string) => Value
}

/** What failed, and when it is worth another attempt. */
export function postgresGates({
  pool,
  seal,
}: SealedTables): Pick<TokenStore, 'passGates' | 'shutGate' | 'openGates'> {
  return {
    async passGates(keys, holdMs) {
      // All or none, in one order: whoever comes second waits for the first, and finds them shut.
      const { rows } = await pool.query<{ passed: boolean }>(
        `WITH shut AS (
           SELECT key, retry_at <= clock_timestamp() AS is_due
             FROM broker_gate WHERE key = ANY($1) ORDER BY key FOR UPDATE
         ), held AS (
           UPDATE broker_gate SET retry_at = clock_timestamp() + $2::float8 * interval '1 ms'
            WHERE key IN (SELECT key FROM shut) AND (SELECT bool_and(is_due) FROM shut)
           RETURNING key
         )
         SELECT (SELECT count(*) FROM held) = (SELECT count(*) FROM shut) AS passed`,
        [keys, holdMs],
      )
      return rows[0]?.passed ?? false
    },

    async shutGate(key, connection, { failures, isOpen, waitMs, failure, credential, at }) {
      await pool.query(
        `INSERT INTO broker_gate (key, connection, failures, is_open, sealed, retry_at)
         VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6::float8 * interval '1 ms')
         ON CONFLICT (key) DO UPDATE
            SET connection = excluded.connection, failures = excluded.failures,
                is_open = excluded.is_open, sealed = excluded.sealed,
                retry_at = excluded.retry_at`,
        [
          ...[key, connection, failures, isOpen],
          ...[seal({ failure, credential, at }, `broker_gate:${key}`), waitMs],
        ],
      )
    },

    async openGates({ keys, connection }) {
      await pool.query('DELETE FROM broker_gate WHERE key = ANY($1) OR connection = $2', [
        keys,
        connection ?? null,
      ])
    },
  }
}
