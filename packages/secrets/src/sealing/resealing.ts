import type { Pool, PoolClient } from 'pg'
import type { KeyRing } from '../sealer.ts'
import { inTransaction } from './in-transaction.ts'
import { resealAll } from './reseal.ts'
import { currentOf, formerOf, type KeyRow, SEALING_LOCK } from './sealing-keys.ts'
import type { ServerList } from './sealing-servers.ts'

/** The part of a server in sealing everything anew. */
export interface Resealing {
  /** Takes a turn, unless one is under way or another server has it. Never rejects. */
  take(rows: readonly KeyRow[]): void
  /** Another key is in force now: everything is to be looked at again. */
  restart(): void
  /** Values that no key opens, as of the last turn here. */
  readonly unreadable: number
  /** Resolves when no turn is under way. */
  idle(): Promise<void>
}

export interface ResealingDeps {
  readonly pool: Pool
  readonly ring: KeyRing
  readonly servers: ServerList
  /** The longest that a value may be on its way after it was sealed. */
  readonly settleMs: number
  /** Breaks a turn off. */
  readonly signal: AbortSignal
  readonly onFinished: (current: string, former: readonly string[]) => void
  readonly onError: (error: unknown) => void
}

/** So many beats a change that is blocked is not tried again. */
const BLOCKED_BEATS = 15

export function createResealing(deps: ResealingDeps): Resealing {
  const { pool, ring, servers, settleMs, signal, onError } = deps
  let isClean = false
  let unreadable = 0
  let toSkip = 0
  let running: Promise<void> | undefined

  /** One server at a time; what one leaves undone, another goes on with. */
  async function turn(rows: readonly KeyRow[]): Promise<void> {
    const client = await pool.connect()
    try {
      const { rows: got } = await client.query<{ got: boolean }>(
        `SELECT pg_try_advisory_lock(hashtext('scopegate.reseal')) AS got`,
      )
      if (got[0]?.got !== true) return
      try {
        await work(client, rows)
      } finally {
        await client.query(`SELECT pg_advisory_unlock(hashtext('scopegate.reseal'))`)
      }
    } finally {
      // With the connection goes the lock.
      client.release(signal.aborted)
    }
  }

  async function work(client: PoolClient, rows: readonly KeyRow[]): Promise<void> {
    // Only a pass that begins after all have turned to the new key finds everything.
    const areSettled = await servers.areSettled(client, ring.currentId, settleMs / 1000)
    if (isClean && !areSettled) return
    const report = await resealAll(client, ring, signal)
    unreadable = report.unreadable.reduce((sum, each) => sum + each.rows, 0)
    isClean = report.resealed === 0
    if (!areSettled || !isClean) return
    if (unreadable === 0 || (await mayLeave(client))) await finish(rows)
    else toSkip = BLOCKED_BEATS
  }

  async function finish(rows: readonly KeyRow[]): Promise<void> {
    const [current, former] = [currentOf(rows).id, formerOf(rows)]
    const isDone = await inTransaction(pool, async (client) => {
      await client.query(SEALING_LOCK)
      const { rowCount } = await client.query(
        `UPDATE sealing_key SET status = 'retired', since = now()
          WHERE status = 'former' AND id = ANY ($1)
            AND EXISTS (SELECT FROM sealing_key WHERE status = 'current' AND id = $2)`,
        [former, current],
      )
      return (rowCount ?? 0) > 0
    })
    if (isDone) deps.onFinished(current, former)
  }

  return {
    take(rows) {
      if (toSkip > 0) toSkip -= 1
      else {
        running ??= turn(rows)
          .catch(onError)
          .finally(() => {
            running = undefined
          })
      }
    },
    restart() {
      isClean = false
      toSkip = 0
    },
    get unreadable() {
      return unreadable
    },
    async idle() {
      await running
    },
  }
}

async function mayLeave(client: Pick<PoolClient, 'query'>): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT FROM sealing_key WHERE status = 'current' AND leave_unreadable`,
  )
  return rowCount === 1
}
