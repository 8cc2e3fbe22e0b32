import pg from 'pg'
import type { Connection } from './create-pool.ts'
import { StorageError } from './storage-error.ts'

/** Runs statements until its time is over. */
export interface TimedQueries {
  /**
   * @throws {StorageError} `timeout` when the time is over, be it in the middle of the statement,
   *   which is then cancelled; `unavailable` when it went by in waiting for a connection
   */
  query<R extends pg.QueryResultRow>(config: pg.QueryConfig): Promise<pg.QueryResult<R>>
}

/** Statements of one caller, all together, may take this long. */
export type StartTimedQueries = (limitMs: number) => TimedQueries

/** A cancelled statement has this long to end before its connection is cut. */
const GRACE_MS = 2000

/**
 * Statements with a time limit, for what callers choose the cost of. They never take all of the
 * pool: a quarter is left for everything else, however many are costly. The limit is kept by a timer
 * here and not by `statement_timeout`, which would cost a round trip, or hold for others too.
 */
export function createTimedQueries(
  pool: pg.Pool,
  connection: Connection,
  poolSize: number,
): StartTimedQueries {
  const turns = createTurns(Math.max(1, poolSize - Math.ceil(poolSize / 4)))
  return (limitMs) => {
    const deadlineMs = performance.now() + limitMs
    return {
      async query<R extends pg.QueryResultRow>(config: pg.QueryConfig) {
        const waiting = turns.take(deadlineMs)
        if (waiting !== undefined) await waiting
        try {
          return await runTimed<R>(pool, connection, config, deadlineMs)
        } finally {
          turns.give()
        }
      },
    }
  }
}

async function runTimed<R extends pg.QueryResultRow>(
  pool: pg.Pool,
  connection: Connection,
  config: pg.QueryConfig,
  deadlineMs: number,
): Promise<pg.QueryResult<R>> {
  const client = await pool.connect()
  let released = false
  const release = (destroy: boolean) => {
    if (!released) client.release(destroy)
    released = true
  }
  let late = false
  let cut: NodeJS.Timeout | undefined
  const timer = setTimeout(
    () => {
      late = true
      // Releasing to be destroyed cuts the connection, and with it the wait for the statement.
      cut = setTimeout(release, GRACE_MS, true)
      cancelStatement(connection, client).catch(() => release(true))
    },
    Math.max(0, deadlineMs - performance.now()),
  )
  try {
    const result = await client.query<R>(config)
    // A cancellation on its way could meet the next statement of the connection.
    release(late)
    return result
  } catch (error) {
    release(true)
    throw late ? tooLong(error) : error
  } finally {
    clearTimeout(timer)
    clearTimeout(cut)
  }
}

/** Through a connection of its own: those of the pool may all be taken. */
async function cancelStatement(connection: Connection, client: pg.PoolClient): Promise<void> {
  const { processID } = client as unknown as { readonly processID: number }
  const canceller = new pg.Client({ ...connection, connectionTimeoutMillis: GRACE_MS })
  canceller.on('error', () => {})
  try {
    await canceller.connect()
    await canceller.query('SELECT pg_cancel_backend($1)', [processID])
  } finally {
    await canceller.end().catch(() => {})
  }
}

function tooLong(cause?: unknown): StorageError {
  return new StorageError('timeout', 'the statement was cancelled: it ran longer than allowed', {
    cause,
  })
}

interface Turns {
  /** `undefined` when it is one's turn at once. */
  take(deadlineMs: number): Promise<void> | undefined
  give(): void
}

/** At most `most` at a time; the others in the order in which they came. */
function createTurns(most: number): Turns {
  let taken = 0
  const waiting = new Set<() => void>()
  return {
    take(deadlineMs) {
      const leftMs = deadlineMs - performance.now()
      if (leftMs <= 0) throw tooLong()
      if (taken < most) {
        taken += 1
        return undefined
      }
      return new Promise((resolve, reject) => {
        const go = () => {
          clearTimeout(timer)
          resolve()
        }
        const timer = setTimeout(() => {
          waiting.delete(go)
          reject(
            new StorageError(
              'unavailable',
              'other searches have taken all connections for longer than this one may take',
            ),
          )
        }, leftMs)
        waiting.add(go)
      })
    },
    give() {
      const [next] = waiting
      if (next === undefined) taken -= 1
      else {
        waiting.delete(next)
        next()
      }
    },
  }
}
