import { createHash, createHmac } from 'node:crypto'
import type { Sealer } from '@scopegate/secrets'
import type { AdapterPayload } from 'oidc-provider'
import type { Pool } from 'pg'

/**
 * What the engine keeps between requests, in one table. A copy of the table opens nothing: what a
 * client or a browser holds is there as a hash only, and all the rest is sealed for its place.
 */
export interface ModelStore {
  /** The row while it lives; `consumed` (epoch seconds) is set once it was used. */
  find(model: string, id: string): Promise<AdapterPayload | undefined>
  findByUid(model: string, uid: string): Promise<AdapterPayload | undefined>
  findByUserCode(model: string, userCode: string): Promise<AdapterPayload | undefined>
  /** Inserts or replaces; a row that was consumed stays so. */
  upsert(model: string, id: string, payload: AdapterPayload, seconds?: number): Promise<void>
  /** One statement: of many at once, on any number of servers, exactly one gets `true`. */
  consume(model: string, id: string): Promise<boolean>
  destroy(model: string, id: string): Promise<void>
  revokeByGrantId(model: string, grantId: string): Promise<void>
  /**
   * Counts a poll for a device code. The seconds that its client must wait between two polls, if it
   * did not; each such poll makes it wait longer.
   *
   * @see RFC 8628 §3.5
   */
  poll(id: string): Promise<number | undefined>
}

export interface ModelStoreDeps {
  readonly pool: Pool
  readonly sealer: Sealer
  /** 32 bytes, for user codes. */
  readonly userCodeKey: Uint8Array
}

interface Row {
  model: string
  id: Buffer
  payload: string
  consumed: number | null
}

/** The engine asks for a life of every row but those that have none; those get this. */
const LONGEST_SECONDS = 366 * 86_400

/** What a user or an app begins again, should the database lose power: not waited for on the disk. */
const LOSABLE: ReadonlySet<string> = new Set(['Interaction', 'Session'])

/** How often the client of a device code may ask. @see RFC 8628 §3.2 */
export const POLL_SECONDS = 5

const SELECT = `SELECT model, id, payload, floor(extract(epoch FROM consumed_at))::float8 AS consumed
                  FROM engine_model`

/** What is stored of a value that somebody holds. It is random and long: no salt is needed. */
export function hashOf(value: string): Buffer {
  return createHash('sha256').update(value).digest()
}

/**
 * A condition that always holds, and sets for its statement alone whether the commit waits for the
 * disk. What it writes is seen by everybody at once either way.
 *
 * @param mode a parameter that is `on` or `off`
 * @see https://www.postgresql.org/docs/current/wal-async-commit.html
 */
export function durability(mode: string): string {
  return `set_config('synchronous_commit', ${mode}, true) IS NOT NULL`
}

export function createModelStore({ pool, sealer, userCodeKey }: ModelStoreDeps): ModelStore {
  const hmacOf = (userCode: string) => createHmac('sha256', userCodeKey).update(userCode).digest()
  const placeOf = (model: string, id: Buffer) => `engine_model:${model}:${id.toString('hex')}`

  function open(row: Row | undefined): AdapterPayload | undefined {
    if (row === undefined) return undefined
    const text = sealer.unseal(row.payload, placeOf(row.model, row.id)).toString('utf8')
    const payload = JSON.parse(text) as AdapterPayload
    return row.consumed === null ? payload : { ...payload, consumed: row.consumed }
  }

  async function findBy(column: 'id' | 'uid' | 'user_code', model: string, key: Buffer) {
    const { rows } = await pool.query<Row>({
      name: `engine-find-${column}`,
      text: `${SELECT} WHERE model = $1 AND ${column} = $2 AND expires_at > now()`,
      values: [model, key],
    })
    return open(rows[0])
  }

  return {
    find: (model, id) => findBy('id', model, hashOf(id)),
    findByUid: (model, uid) => findBy('uid', model, hashOf(uid)),
    findByUserCode: (model, userCode) => findBy('user_code', model, hmacOf(userCode)),

    async upsert(model, id, payload, seconds = LONGEST_SECONDS) {
      const key = hashOf(id)
      const { consumed: _, ...kept } = payload
      const { uid, userCode } = payload
      await pool.query({
        name: 'engine-upsert',
        text: `INSERT INTO engine_model
                      (model, id, payload, grant_id, uid, user_code, expires_at)
               SELECT $1::text, $2::bytea, $3::text, $4::text, $5::bytea, $6::bytea,
                      now() + make_interval(secs => $7)
                WHERE ${durability('$8')}
               ON CONFLICT (model, id) DO UPDATE
                  SET payload = excluded.payload, grant_id = excluded.grant_id,
                      uid = excluded.uid, user_code = excluded.user_code,
                      expires_at = excluded.expires_at`,
        values: [
          model,
          key,
          sealer.seal(JSON.stringify(kept), placeOf(model, key)),
          payload.grantId ?? null,
          model === 'Session' && uid !== undefined ? hashOf(uid) : null,
          userCode === undefined ? null : hmacOf(userCode),
          seconds,
          LOSABLE.has(model) ? 'off' : 'on',
        ],
      })
    },

    async consume(model, id) {
      const { rowCount } = await pool.query({
        name: 'engine-consume',
        text: `UPDATE engine_model SET consumed_at = now()
                WHERE model = $1 AND id = $2 AND consumed_at IS NULL AND expires_at > now()`,
        values: [model, hashOf(id)],
      })
      return rowCount === 1
    },

    async destroy(model, id) {
      await pool.query({
        name: 'engine-destroy',
        text: 'DELETE FROM engine_model WHERE model = $1 AND id = $2',
        values: [model, hashOf(id)],
      })
    },

    async revokeByGrantId(model, grantId) {
      await pool.query('DELETE FROM engine_model WHERE model = $1 AND grant_id = $2', [
        model,
        grantId,
      ])
    },

    async poll(id) {
      const { rows } = await pool.query<{ wait: number; too_early: boolean }>(
        `WITH before AS (
           SELECT coalesce(poll_seconds, $2) AS wait,
                  -- A second of grace, for what the network adds and takes.
                  coalesce(polled_at + make_interval(secs => coalesce(poll_seconds, $2) - 1) > now(),
                           false) AS too_early
             FROM engine_model WHERE model = 'DeviceCode' AND id = $1 FOR UPDATE)
         UPDATE engine_model
            SET polled_at = now(),
                poll_seconds = before.wait + CASE WHEN before.too_early THEN 5 ELSE 0 END
           FROM before WHERE model = 'DeviceCode' AND id = $1
         RETURNING poll_seconds AS wait, before.too_early`,
        [hashOf(id), POLL_SECONDS],
      )
      return rows[0]?.too_early === true ? rows[0].wait : undefined
    },
  }
}
