import type { Pool, PoolClient } from 'pg'
import { MasterKeyError } from '../master-key.ts'
import { RekeyRefused } from './rekey-status.ts'

/** Commits when `work` resolves; rolls back and rethrows when it throws. */
export async function inTransaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  // After an error of the database the state of the connection is unknown.
  let isBroken = false
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    isBroken = !(error instanceof MasterKeyError || error instanceof RekeyRefused)
    await client.query('ROLLBACK').catch(() => undefined)
    throw error
  } finally {
    client.release(isBroken)
  }
}
