import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool, PoolClient } from 'pg'
import type { SealingServer } from './rekey-status.ts'

type Queryable = Pick<PoolClient, 'query'>

/** The servers on this database that are alive, by what they tell about themselves. */
export interface ServerList {
  /** What this one knows and does. */
  tell(client: Queryable, knows: readonly string[], seals: string): Promise<void>
  list(client: Queryable): Promise<readonly SealingServer[]>
  /** Whether all seal with this key, and have for so long that nothing else is on its way. */
  areSettled(client: Queryable, keyId: string, seconds: number): Promise<boolean>
  /** Resolves when all know this key, or after `ms`. */
  untilKnown(keyId: string, ms: number): Promise<void>
  leave(): Promise<void>
}

export function createServerList(deps: {
  readonly pool: Pool
  readonly id: string
  readonly name: string
  readonly goneSeconds: number
}): ServerList {
  const { pool, id, name, goneSeconds } = deps
  const isAlive = `seen_at > now() - make_interval(secs => ${Number(goneSeconds)})`

  async function list(client: Queryable): Promise<readonly SealingServer[]> {
    const { rows } = await client.query<SealingServer>(
      `SELECT name, knows, seals FROM sealing_server WHERE ${isAlive} ORDER BY name`,
    )
    return rows
  }

  return {
    list,
    async tell(client, knows, seals) {
      await client.query({
        name: 'sealing-server-tell',
        text: `WITH gone AS (DELETE FROM sealing_server WHERE seen_at < now() - interval '1 day')
               INSERT INTO sealing_server AS s (id, name, knows, seals) VALUES ($1, $2, $3, $4)
               ON CONFLICT (id) DO UPDATE
                 SET knows = excluded.knows, seals = excluded.seals, seen_at = now(),
                     seals_since = CASE WHEN s.seals = excluded.seals
                                        THEN s.seals_since ELSE now() END`,
        values: [id, name, knows, seals],
      })
    },
    async areSettled(client, keyId, seconds) {
      const { rowCount } = await client.query(
        `SELECT FROM sealing_server
          WHERE ${isAlive}
            AND (seals <> $1 OR seals_since > now() - make_interval(secs => $2))`,
        [keyId, seconds],
      )
      return rowCount === 0
    },
    async untilKnown(keyId, ms) {
      const endMs = performance.now() + ms
      while (performance.now() < endMs) {
        if ((await list(pool)).every(({ knows }) => knows.includes(keyId))) return
        await sleep(Math.min(ms / 10, 250))
      }
    },
    async leave() {
      await pool.query('DELETE FROM sealing_server WHERE id = $1', [id])
    },
  }
}
