import { type Sealer, UnsealError } from '@scopegate/secrets'
import type { Storage } from '@scopegate/storage'
import { postgresGates } from './postgres-gates.ts'
import { postgresGrants } from './postgres-grants.ts'
import type { Known, TokenRecord, TokenStore } from './token-store.ts'

export interface PostgresTokenStoreDeps {
  readonly pool: Pick<Storage['pool'], 'query'>
  /** Tokens are unreadable in the database without it. */
  readonly sealer: Pick<Sealer, 'seal' | 'unseal'>
}

interface KnownRow {
  readonly kind: 'token' | 'gate'
  readonly key: string
  readonly sealed: string
  readonly fence: number
  readonly ms: number
  readonly failures: number
  readonly is_open: boolean
}

/** A token got in the future: the clock was set back since, and its end means nothing any more. */
const LOOK = `
  SELECT 'token' AS kind, key, sealed, fence, 0 AS failures, false AS is_open,
         (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8 AS ms
    FROM broker_token
   WHERE key = $1 AND expires_at > clock_timestamp()
     AND fetched_at <= clock_timestamp() + interval '1 s'
  UNION ALL
  SELECT 'gate', key, sealed, 0, failures, is_open,
         (extract(epoch FROM retry_at - clock_timestamp()) * 1000)::float8
    FROM broker_gate
   WHERE key = ANY($2)`

/** The number is drawn when the row is locked: whoever comes later has a higher one. */
const ACQUIRE = `
  INSERT INTO broker_lease AS held (key, fence, duration_ms, until)
  VALUES ($1, nextval('broker_fence'), $2::integer, clock_timestamp() + $2::integer * interval '1 ms')
  ON CONFLICT (key) DO UPDATE
     SET fence = nextval('broker_fence'), duration_ms = excluded.duration_ms,
         until = clock_timestamp() + excluded.duration_ms * interval '1 ms'
   WHERE held.until <= clock_timestamp() OR held.fence = $3::bigint
  RETURNING fence`

const SAVE = `
  WITH held AS (
    UPDATE broker_lease SET until = '-infinity' WHERE key = $1 AND fence = $2::bigint RETURNING fence
  ), token AS (
    INSERT INTO broker_token AS old (key, connection, grant_key, sealed, fence, expires_at)
    SELECT $3::text, $4::text, $5::text, $6::text, fence, clock_timestamp() + $7::float8 * interval '1 ms' FROM held
    ON CONFLICT (key) DO UPDATE
       SET connection = excluded.connection, grant_key = excluded.grant_key,
           sealed = excluded.sealed, fence = excluded.fence, fetched_at = excluded.fetched_at,
           expires_at = excluded.expires_at
     WHERE old.fence < excluded.fence
    RETURNING 1
  ), kept AS (
    UPDATE broker_grant
       SET sealed = $8::text, generation = generation + 1, used_fence = NULL,
           used_at = clock_timestamp(), signed_out = NULL
     WHERE key = $5::text AND used_fence = $2::bigint AND $8::text IS NOT NULL
    RETURNING 1
  )
  SELECT EXISTS (SELECT FROM token) AS token, EXISTS (SELECT FROM kept) AS kept`

/** For all processes on one database (migration 0009-broker). */
export function createPostgresTokenStore({ pool, sealer }: PostgresTokenStoreDeps): TokenStore {
  const sealing = { pool, seal, unseal }

  function seal(value: unknown, context: string): string {
    return sealer.seal(JSON.stringify(value), context)
  }

  function unseal<Value>(sealed: string, context: string): Value {
    return JSON.parse(sealer.unseal(sealed, context).toString())
  }

  return {
    ...postgresGates(sealing),
    ...postgresGrants(sealing),

    async look(tokenKey, gateKeys) {
      const { rows } = await pool.query<KnownRow>({
        ...{ name: 'broker-look', text: LOOK },
        values: [tokenKey, gateKeys],
      })
      const gates = new Map()
      let token: Known['token']
      for (const { kind, key, sealed, fence, ms, failures, is_open } of rows) {
        try {
          if (kind === 'token') {
            const record = unseal<TokenRecord>(sealed, `broker_token:${key}`)
            token = { fence, record, leftMs: Math.min(ms, record.lifeMs) }
          } else {
            const rest = unseal<object>(sealed, `broker_gate:${key}`)
            gates.set(key, { ...rest, failures, isOpen: is_open, waitMs: ms })
          }
        } catch (error) {
          // What cannot be opened can be had again.
          if (!(error instanceof UnsealError)) throw error
        }
      }
      return { gates, ...(token && { token }) }
    },

    async acquire({ key, durationMs, stuckFence }) {
      const taken = await pool.query<{ fence: number }>(ACQUIRE, [
        key,
        Math.ceil(durationMs),
        stuckFence ?? null,
      ])
      if (taken.rows[0]) return { kind: 'held', fence: taken.rows[0].fence }
      const { rows } = await pool.query<{ fence: number; duration_ms: number }>(
        'SELECT fence, duration_ms FROM broker_lease WHERE key = $1',
        [key],
      )
      const [row] = rows
      return { kind: 'busy', fence: row?.fence ?? 0, durationMs: row?.duration_ms ?? 0 }
    },

    async release({ key, fence }) {
      await pool.query(
        `UPDATE broker_lease SET until = '-infinity' WHERE key = $1 AND fence = $2`,
        [key, fence],
      )
    },

    async saveToken({ lease, connection, tokenKey, record, leftMs, grant }) {
      const { rows } = await pool.query<{ token: boolean; kept: boolean }>(SAVE, [
        ...[lease.key, lease.fence, tokenKey, connection, grant?.key ?? null],
        ...[seal(record, `broker_token:${tokenKey}`), leftMs],
        grant ? seal(grant.record, `broker_grant:${grant.key}`) : null,
      ])
      return { token: rows[0]?.token ?? false, grant: rows[0]?.kept ?? false }
    },

    async discardToken(tokenKey, fence) {
      await pool.query('DELETE FROM broker_token WHERE key = $1 AND fence = $2', [tokenKey, fence])
    },

    async prune() {
      await pool.query('DELETE FROM broker_token WHERE expires_at <= clock_timestamp()')
      await pool.query(
        `DELETE FROM broker_gate WHERE retry_at <= clock_timestamp() - interval '1 day'`,
      )
      await pool.query(
        `DELETE FROM broker_lease l
          WHERE until <= clock_timestamp() - interval '1 day'
            AND NOT EXISTS (SELECT FROM broker_token t WHERE t.key = l.key)`,
      )
    },
  }
}
