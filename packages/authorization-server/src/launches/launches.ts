import { randomBytes } from 'node:crypto'
import type { LaunchContext, LaunchMaker } from '@scopegate/oauth-model'
import type { Pool } from 'pg'
import { hashOf } from '../engine/model-store.ts'

/** Handles of EHR launches: who holds one may launch an app with its context, once. */
export interface Launches extends LaunchMaker {
  /**
   * Ends the handle and gives its context. One statement, so that of many at once one gets it. A
   * handle that is for another client or user stays as it is.
   */
  redeem(
    handle: string,
    by: { readonly clientId: string; readonly userId: string },
  ): Promise<LaunchRedemption>
}

export type LaunchRedemption =
  | { readonly kind: 'done'; readonly context: LaunchContext }
  | { readonly kind: 'refused'; readonly reason: LaunchRefusal }

export type LaunchRefusal = 'unknown' | 'expired' | 'used' | 'other-client' | 'other-user'

export interface LaunchesDeps {
  readonly pool: Pool
  /** How long a handle can be redeemed. Default 300. */
  readonly seconds?: number
}

interface Row {
  client_id: string | null
  user_id: string | null
  is_used: boolean
  is_expired: boolean
}

export function createLaunches({ pool, seconds = 300 }: LaunchesDeps): Launches {
  return {
    async create({ clientId, userId, context, seconds: own }) {
      const launch = `sgl_${randomBytes(24).toString('base64url')}`
      const { rows } = await pool.query<{ expires_at: number }>(
        `INSERT INTO launch_handle (id, client_id, user_id, context, expires_at)
         VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))
         RETURNING floor(extract(epoch FROM expires_at))::float8 AS expires_at`,
        [hashOf(launch), clientId, userId, JSON.stringify(context), own ?? seconds],
      )
      return { launch, expiresAt: rows[0]?.expires_at ?? 0 }
    },

    async redeem(handle, { clientId, userId }) {
      const id = hashOf(handle)
      const { rows } = await pool.query<{ context: LaunchContext }>(
        `UPDATE launch_handle SET redeemed_at = now()
          WHERE id = $1 AND redeemed_at IS NULL AND expires_at > now()
            AND coalesce(client_id, $2) = $2 AND coalesce(user_id, $3) = $3
          RETURNING context`,
        [id, clientId, userId],
      )
      if (rows[0] !== undefined) return { kind: 'done', context: rows[0].context }
      const found = await pool.query<Row>(
        `SELECT client_id, user_id, redeemed_at IS NOT NULL AS is_used,
                expires_at <= now() AS is_expired
           FROM launch_handle WHERE id = $1`,
        [id],
      )
      return { kind: 'refused', reason: reasonOf(found.rows[0], clientId) }
    },
  }
}

function reasonOf(row: Row | undefined, clientId: string): LaunchRefusal {
  if (row === undefined) return 'unknown'
  // Whose it is comes first: another client need not learn whether it was used.
  if (row.client_id !== null && row.client_id !== clientId) return 'other-client'
  if (row.is_used) return 'used'
  return row.is_expired ? 'expired' : 'other-user'
}
