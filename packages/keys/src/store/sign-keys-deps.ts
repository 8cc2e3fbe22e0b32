import type { Sealer } from '@scopegate/secrets'
import type { Pool, PoolClient } from 'pg'

export interface SignKeysDeps {
  readonly pool: Pool
  readonly transaction: <T>(work: (client: PoolClient) => Promise<T>) => Promise<T>
  readonly sealer: Sealer
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  /** A new `jti`. */
  readonly newId: () => string
  /** Where the public keys of a set are, for `jku`. */
  readonly jwksUrl: (name: string) => string
  /** How many signatures a caller gets; missing: as many as it likes. */
  readonly limit?: CallerLimit
}

/** A count per caller. */
export interface CallerLimit {
  /** How long the caller has to wait; `undefined`: not at all. */
  retryAfterSeconds(caller: string): number | undefined
  count(caller: string): void
}

/** Writers take turns, for a transaction; readers never wait. */
export const LOCK = `SELECT pg_advisory_xact_lock(hashtext('scopegate.sign-keys'))`
