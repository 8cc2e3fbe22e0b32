import { createHmac } from 'node:crypto'
import type { Pool } from 'pg'
import { addressNetwork } from './address-network.ts'

/** How many attempts are free, and how long the next ones wait. */
export interface AttemptLimits {
  /** Of one account from one address. */
  readonly freePerPair: number
  /** Of one account from wherever it was not used before. */
  readonly freePerAccount: number
  /** From one address, whatever the account. */
  readonly freePerAddress: number
  /** The first wait; it doubles with each further attempt. */
  readonly firstWaitSeconds: number
  readonly longestWaitSeconds: number
  /**
   * Pair and account are forgotten when nothing was tried for so long; an address, where many people
   * may sit, so long after its first failure.
   */
  readonly forgetSeconds: number
}

export const ATTEMPT_LIMITS: AttemptLimits = {
  freePerPair: 5,
  freePerAccount: 25,
  freePerAddress: 50,
  firstWaitSeconds: 30,
  longestWaitSeconds: 900,
  forgetSeconds: 3600,
}

/** Who tries what; `account` exists or not, it is treated alike. */
export interface Attempt {
  /** Passwords and second factors are counted apart: a right password must not free codes. */
  readonly of: 'password' | 'factor'
  readonly account: string
  readonly address: string
  /** The account was used from this address before: only the pair counts. */
  readonly isKnownAddress: boolean
}

export type Charged =
  | { readonly kind: 'go'; readonly charge: Charge }
  | { readonly kind: 'wait'; readonly retryAfterSeconds: number }

/** An attempt that was counted as failed before it was made. */
export interface Charge {
  /** It was right: forgets the failures of pair and account, and takes this one off the address. */
  clear(): Promise<void>
  /** It was not made after all. */
  refund(): Promise<void>
}

export interface Attempts {
  /**
   * Counts the attempt as failed, unless one of its counters waits. Counting first makes parallel
   * attempts as dear as those one after the other.
   */
  charge(attempt: Attempt): Promise<Charged>
}

interface AttemptsDeps {
  readonly pool: Pool
  /** Keys the hashes under which attempts are kept. */
  readonly key: Uint8Array
  readonly nowMs: () => number
  readonly limits: AttemptLimits
}

/** The counters behind sign-ins, in the database, so that they hold across processes. */
export function createAttempts({ pool, key, nowMs, limits }: AttemptsDeps): Attempts {
  const keyOf = (...parts: string[]) =>
    createHmac('sha256', key).update(JSON.stringify(parts)).digest().subarray(0, 16)

  return {
    async charge({ of, account, address, isKnownAddress }) {
      const network = addressNetwork(address)
      const pair = { key: keyOf(of, 'pair', account, network), allowed: limits.freePerPair }
      const perAccount = { key: keyOf(of, 'account', account), allowed: limits.freePerAccount }
      const perAddress = { key: keyOf(of, 'address', network), allowed: limits.freePerAddress }
      // Always in this order, so that statements which lock the same rows never wait for each other.
      const counters = isKnownAddress ? [pair] : [pair, perAccount, perAddress]
      const now = nowMs()
      const { rows } = await pool.query<{ blocked: number | null; charged: Counted[] | null }>(
        CHARGE,
        [
          counters.map((counter) => counter.key),
          counters.map((counter) => counter.allowed),
          now,
          limits.firstWaitSeconds * 1000,
          limits.longestWaitSeconds * 1000,
          limits.forgetSeconds * 1000,
          perAddress.key,
        ],
      )
      const { blocked, charged } = rows[0] ?? { blocked: null, charged: null }
      if (charged === null || charged.length < counters.length) {
        // When a parallel attempt took the last free place, its wait has just begun.
        const until = blocked ?? now + limits.firstWaitSeconds * 1000
        return {
          kind: 'wait',
          retryAfterSeconds: Math.max(1, Math.ceil((until - now) / 1000)),
        }
      }
      const refundOf = (keys: readonly Buffer[]) => {
        const mine = charged.filter((row) => keys.some((k) => k.toString('hex') === row.key))
        return pool.query(REFUND, [
          mine.map((row) => Buffer.from(row.key, 'hex')),
          mine.map((row) => row.blocked_ms),
        ])
      }
      return {
        kind: 'go',
        charge: {
          async clear() {
            const cleared = [pair.key, perAccount.key]
            await pool.query('DELETE FROM identity_attempt WHERE key = ANY($1)', [cleared])
            if (!isKnownAddress) await refundOf([perAddress.key])
          },
          async refund() {
            await refundOf(counters.map((counter) => counter.key))
          },
        },
      }
    },
  }
}

interface Counted {
  /** Hexadecimal. */
  readonly key: string
  readonly blocked_ms: number
}

/** $1 keys, $2 free attempts, $3 now, $4 first wait, $5 longest wait, $6 forget (milliseconds), $7 key of the address. */
const CHARGE = `
  WITH blocked AS (
    SELECT max(blocked_ms) AS until FROM identity_attempt WHERE key = ANY($1::bytea[]) AND blocked_ms > $3
  ), charged AS (
    INSERT INTO identity_attempt AS a (key, allowed, failures, blocked_ms, expires_ms)
    SELECT t.key, t.allowed, 1, CASE WHEN t.allowed <= 1 THEN $3::bigint + $4 ELSE 0 END, $3 + $6
      FROM unnest($1::bytea[], $2::integer[]) WITH ORDINALITY AS t (key, allowed, n)
     WHERE (SELECT until FROM blocked) IS NULL
     ORDER BY t.n
    ON CONFLICT (key) DO UPDATE SET
      allowed    = excluded.allowed,
      failures   = CASE WHEN a.expires_ms <= $3 THEN 1 ELSE a.failures + 1 END,
      blocked_ms = CASE
        WHEN a.expires_ms <= $3 THEN excluded.blocked_ms
        WHEN a.failures + 1 < excluded.allowed THEN 0
        ELSE $3 + least($5::bigint, $4::bigint * (1 << least(a.failures + 1 - excluded.allowed, 20)))
      END,
      expires_ms = CASE WHEN a.key = $7 AND a.expires_ms > $3 THEN a.expires_ms ELSE $3 + $6 END
    WHERE a.blocked_ms <= $3
    RETURNING encode(key, 'hex') AS key, blocked_ms
  )
  SELECT (SELECT until FROM blocked) AS blocked, (SELECT json_agg(charged) FROM charged) AS charged`

/** Takes one failure off, and the wait if it is still the one that this attempt brought. */
const REFUND = `
  UPDATE identity_attempt AS a
     SET failures = greatest(a.failures - 1, 0),
         blocked_ms = CASE WHEN a.blocked_ms = t.blocked_ms THEN 0 ELSE a.blocked_ms END
    FROM unnest($1::bytea[], $2::bigint[]) AS t (key, blocked_ms)
   WHERE a.key = t.key`
