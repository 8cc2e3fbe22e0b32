import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { asStorageError } from './classify-error.ts'
import { StorageError } from './storage-error.ts'

export interface TransactionOptions {
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable'
  /** Said, it holds; left out, the database decides: it takes no writes while its disk is nearly full. */
  readonly readOnly?: boolean
  /** How often the work runs at most when it collides with others. */
  readonly attempts?: number
}

const COLLISIONS: ReadonlySet<unknown> = new Set(['40001', '40P01'])

/**
 * Runs `work` in one transaction: commits when it resolves, rolls back and rethrows when it throws.
 * After a serialization failure or a deadlock the whole work runs again, up to `attempts` times, so
 * `work` must have no effect outside the database. What says that the database is in trouble comes
 * as a {@link StorageError}; other errors come as they were thrown.
 *
 * When the connection is lost during COMMIT nobody can know whether it was made: that is
 * `unavailable` too, and never retried here.
 */
export async function runTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const attempts = options.attempts ?? 5
  for (let attempt = 1; ; attempt++) {
    try {
      return await runOnce(pool, work, options)
    } catch (error) {
      if (!COLLISIONS.has((error as { code?: unknown } | undefined)?.code)) {
        throw asStorageError(error)
      }
      if (attempt >= attempts) {
        throw new StorageError(
          'conflict',
          `concurrent changes of the same data collided ${attempts} times: try again`,
          { cause: error },
        )
      }
      // Jitter parts the colliders; a deadlock has already cost its own second of waiting.
      await sleep(Math.random() * 10 * 2 ** attempt)
    }
  }
}

async function runOnce<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  const onError = (error: Error) => {
    broken = error
  }
  // A client that is out of the pool has no listener of the pool's.
  client.on('error', onError)
  try {
    await client.query(beginStatement(options))
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: Error) => {
      broken ??= rollbackError
    })
    throw error
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

function beginStatement({ isolation, readOnly }: TransactionOptions): string {
  const level = isolation ? ` ISOLATION LEVEL ${isolation.toUpperCase()}` : ''
  const access = readOnly === undefined ? '' : readOnly ? ' READ ONLY' : ' READ WRITE'
  return `BEGIN${level}${access}`
}
