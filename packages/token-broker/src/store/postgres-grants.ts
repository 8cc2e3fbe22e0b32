import type { TokenFailure } from '@scopegate/oauth-model'
import type { SealedTables } from './postgres-gates.ts'
import type { GrantRecord, StoredGrant, TokenStore } from './token-store.ts'

interface GrantRow {
  readonly key: string
  readonly sealed: string
  readonly generation: number
  readonly used_fence: number | null
  /** In plain text: nothing that a provider said. */
  readonly signed_out: TokenFailure | null
  readonly idle_ms: number
}

/** What is sealed. Why it is of no use any more holds the words of a provider, who may quote anybody. */
interface SealedGrant extends GrantRecord {
  readonly signedOut?: TokenFailure
}

const COLUMNS = `key, sealed, generation, used_fence, signed_out,
  (extract(epoch FROM clock_timestamp() - used_at) * 1000)::float8 AS idle_ms`

type GrantMethods = Pick<
  TokenStore,
  'readGrant' | 'writeGrant' | 'markGrant' | 'unmarkGrant' | 'signOutGrant' | 'reviveGrants'
>

/** Refresh tokens; what cannot be unsealed is an error: it cannot be had again. */
export function postgresGrants({ pool, seal, unseal }: SealedTables): GrantMethods {
  function stored(row: GrantRow): StoredGrant {
    const { key, generation, used_fence, signed_out, idle_ms } = row
    const { signedOut, ...record } = unseal<SealedGrant>(row.sealed, `broker_grant:${key}`)
    return {
      ...{ key, generation, idleMs: idle_ms, record },
      ...(used_fence !== null && { usedFence: used_fence }),
      // The column decides: whoever revives it leaves the sealed words where they are.
      ...(signed_out !== null && { signedOut: signedOut ?? signed_out }),
    }
  }

  return {
    async readGrant(key) {
      const { rows } = await pool.query<GrantRow>(
        `SELECT ${COLUMNS} FROM broker_grant WHERE key = $1`,
        [key],
      )
      return rows[0] && stored(rows[0])
    },

    async writeGrant(key, connection, record) {
      await pool.query(
        `WITH gone AS (DELETE FROM broker_token WHERE grant_key = $1)
         INSERT INTO broker_grant AS old (key, connection, sealed, generation)
         VALUES ($1, $2, $3, 1)
         ON CONFLICT (key) DO UPDATE
            SET connection = excluded.connection, sealed = excluded.sealed,
                generation = old.generation + 1, used_fence = NULL,
                used_at = excluded.used_at, signed_out = NULL`,
        [key, connection, seal(record, `broker_grant:${key}`)],
      )
    },

    async markGrant(key, generation, fence) {
      const { rowCount } = await pool.query(
        `UPDATE broker_grant SET used_fence = $3
          WHERE key = $1 AND generation = $2 AND signed_out IS NULL`,
        [key, generation, fence],
      )
      return rowCount === 1
    },

    async unmarkGrant(key, fence) {
      await pool.query(
        `UPDATE broker_grant SET used_fence = NULL WHERE key = $1 AND used_fence = $2`,
        [key, fence],
      )
    },

    async signOutGrant(key, generation, failure) {
      const { rows } = await pool.query<{ sealed: string }>(
        'SELECT sealed FROM broker_grant WHERE key = $1 AND generation = $2',
        [key, generation],
      )
      if (rows[0] === undefined) return
      // What is sealed changes with the generation only: nothing newer can be written over.
      const record = unseal<SealedGrant>(rows[0].sealed, `broker_grant:${key}`)
      await pool.query(
        `UPDATE broker_grant SET sealed = $3, signed_out = $4
          WHERE key = $1 AND generation = $2`,
        [
          ...[key, generation, seal({ ...record, signedOut: failure }, `broker_grant:${key}`)],
          JSON.stringify(withoutWords(failure)),
        ],
      )
    },

    async reviveGrants(connection) {
      await pool.query(
        'UPDATE broker_grant SET used_fence = NULL, signed_out = NULL WHERE connection = $1',
        [connection],
      )
    },
  }
}

/** The row of the catalogue, for who reads the column. */
function withoutWords({ kind, code, wasSent }: TokenFailure): TokenFailure {
  const cause = `the sign-in of this connection has ended (${code})`
  return { kind, code, wasSent, cause, fix: 'sign in again' }
}
