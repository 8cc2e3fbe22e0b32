import type { JsonWebKey } from 'node:crypto'
import type { Sealer } from '@scopegate/secrets'
import { type KeySource, keysFor, type ParsedKeySet, parseKeySet } from '@scopegate/token-verify'
import type { Pool, PoolClient } from 'pg'
import {
  ACCESS_TOKEN_ALGORITHM,
  generateSigningKey,
  ID_TOKEN_ALGORITHM,
  type SigningAlgorithm,
  type SigningKey,
} from './generate-signing-key.ts'

/** The keys as one process knows them at one moment. */
export interface SigningKeySnapshot {
  /** Private; signs access tokens now. */
  readonly current: SigningKey
  /** Private; signs ID tokens now. Missing where there are none. */
  readonly idToken?: SigningKey
  /** Public: current, next, and retired ones whose tokens may live. */
  readonly jwks: { readonly keys: readonly JsonWebKey[] }
}

export interface SigningKeys {
  /** The keys, read again from the database when they are older than `refreshSeconds`. */
  snapshot(): Promise<SigningKeySnapshot>
  /**
   * The next keys sign from now on, the current ones retire and stay published until their last
   * token has expired, and new next keys are published. Breaks no token.
   */
  rotate(): Promise<KeyRotation>
  /**
   * Rotates if the last rotation (or the making of the keys) is longer ago than that; `undefined`
   * if not. Of several processes at once, one rotates.
   */
  rotateIfOlder(seconds: number): Promise<KeyRotation | undefined>
  /** Every published key, oldest first. */
  list(): Promise<readonly SigningKeyView[]>
  /** For verifying our own tokens in this process, without a request to ourselves. */
  readonly keySource: KeySource
}

/** Of the keys of access tokens; those of ID tokens turn with them. */
export interface KeyRotation {
  /** Signs from now on. */
  readonly kid: string
  /** No longer signs. */
  readonly retired: string
}

/** A key as operators see it: nothing of it is secret. */
export interface SigningKeyView {
  readonly kid: string
  readonly alg: string
  /** `next`: published, signs after the next rotation. `retired`: its last tokens may still live. */
  readonly state: 'next' | 'current' | 'retired'
  /** Epoch seconds. */
  readonly createdAt: number
  /** Epoch seconds. */
  readonly retiredAt?: number
}

export interface SigningKeysDeps {
  readonly pool: Pool
  readonly transaction: <T>(work: (client: PoolClient) => Promise<T>) => Promise<T>
  readonly sealer: Sealer
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  /** The longest that a token lives, with the clock tolerance. */
  readonly maxTokenSeconds: number
  readonly refreshSeconds?: number
  /** Default: that of access tokens. */
  readonly algorithms?: readonly SigningAlgorithm[]
}

interface KeyRow {
  kid: string
  alg: SigningAlgorithm
  status: 'next' | 'current' | 'retired'
  public_jwk: JsonWebKey
  sealed_jwk: string | null
}

const RETRY_MS = 5000

const LOCK = `SELECT pg_advisory_xact_lock(hashtext('scopegate.signing-keys'))`

/** Signing keys in the database: one row per key, private parts sealed, the same for every process. */
export function createSigningKeys(deps: SigningKeysDeps): SigningKeys {
  const { pool, transaction, sealer, nowMs, maxTokenSeconds } = deps
  const algorithms = deps.algorithms ?? [ACCESS_TOKEN_ALGORITHM]
  const refreshMs = (deps.refreshSeconds ?? 30) * 1000
  // Another process may sign with the retired key until it has looked again.
  const publishedSeconds = maxTokenSeconds + (2 * refreshMs) / 1000

  let known: SigningKeySnapshot | undefined
  let parsed: ParsedKeySet = { ok: true, keys: [] }
  let knownAtMs = Number.NEGATIVE_INFINITY
  let pending: Promise<SigningKeySnapshot> | undefined

  async function load(): Promise<SigningKeySnapshot> {
    const { rows } = await pool.query<KeyRow>({
      name: 'oauth-signing-keys',
      text: `SELECT kid, alg, status, public_jwk, sealed_jwk FROM signing_key
              WHERE alg = ANY ($1)
                AND (status <> 'retired' OR retired_at > now() - make_interval(secs => $2))
              ORDER BY created_at, kid`,
      values: [algorithms, publishedSeconds],
    })
    const currentOf = (alg: SigningAlgorithm) =>
      rows.find((row) => row.alg === alg && row.status === 'current')
    if (algorithms.some((alg) => currentOf(alg) === undefined)) {
      await transaction(createMissing)
      return load()
    }
    const [access, idToken] = [currentOf(ACCESS_TOKEN_ALGORITHM), currentOf(ID_TOKEN_ALGORITHM)]
    const isKnown =
      known?.current.kid === access?.kid &&
      known?.idToken?.kid === idToken?.kid &&
      known?.jwks.keys.length === rows.length
    if (known === undefined || !isKnown) {
      known = {
        current: unsealed(access),
        ...(idToken === undefined ? {} : { idToken: unsealed(idToken) }),
        jwks: { keys: rows.map(({ public_jwk }) => public_jwk) },
      }
      parsed = parseKeySet(known.jwks)
    }
    knownAtMs = nowMs()
    return known
  }

  function unsealed(row: KeyRow | undefined): SigningKey {
    if (row?.sealed_jwk == null) throw new Error('a signing key lacks its private part')
    return JSON.parse(sealer.unseal(row.sealed_jwk, placeOf(row.kid)).toString('utf8'))
  }

  function refresh(): Promise<SigningKeySnapshot> {
    pending ??= load().finally(() => {
      pending = undefined
    })
    return pending
  }

  async function snapshot(): Promise<SigningKeySnapshot> {
    if (known === undefined) return refresh()
    if (nowMs() - knownAtMs < refreshMs) return known
    // A database that cannot be asked must not stop what needs no database; asked again soon.
    return refresh().catch(() => {
      knownAtMs = nowMs() - refreshMs + RETRY_MS
      return known as SigningKeySnapshot
    })
  }

  /** Takes the lock, for the transaction. */
  async function createMissing(sql: PoolClient): Promise<void> {
    await sql.query(LOCK)
    for (const alg of algorithms) {
      for (const status of ['current', 'next'] as const) {
        const { rowCount } = await sql.query(
          'SELECT 1 FROM signing_key WHERE alg = $1 AND status = $2',
          [alg, status],
        )
        if (rowCount === 0) await insertKey(sql, alg, status)
      }
    }
  }

  async function insertKey(
    sql: PoolClient,
    alg: SigningAlgorithm,
    status: 'current' | 'next',
  ): Promise<void> {
    const { privateJwk, publicJwk } = await generateSigningKey(alg)
    await sql.query(
      // Not now(), the start of the transaction: whoever waited for the lock would be dated too early.
      `INSERT INTO signing_key (kid, alg, status, public_jwk, sealed_jwk, created_at)
       VALUES ($1, $2, $3, $4, $5, clock_timestamp())`,
      [
        publicJwk.kid,
        alg,
        status,
        JSON.stringify(publicJwk),
        sealer.seal(JSON.stringify(privateJwk), placeOf(publicJwk.kid)),
      ],
    )
  }

  async function rotateIfOlder(seconds: number): Promise<KeyRotation | undefined> {
    await snapshot()
    const rotated = await transaction(async (sql) => {
      await createMissing(sql)
      // The next key is made by the rotation that puts the current one to work.
      const { rowCount: isDue } = await sql.query(
        `SELECT 1 FROM signing_key WHERE alg = $1 AND status = 'next'
            AND created_at <= clock_timestamp() - make_interval(secs => $2)`,
        [ACCESS_TOKEN_ALGORITHM, seconds],
      )
      if (isDue === 0) return undefined
      const turned = await turn(sql, ACCESS_TOKEN_ALGORITHM)
      if (algorithms.includes(ID_TOKEN_ALGORITHM)) await turn(sql, ID_TOKEN_ALGORITHM)
      return turned
    })
    if (rotated !== undefined) {
      // What is being read already may be from before.
      await pending?.catch(() => undefined)
      await refresh()
    }
    return rotated
  }

  /** Runs under the lock. */
  async function turn(sql: PoolClient, alg: SigningAlgorithm): Promise<KeyRotation> {
    const retired = await sql.query<{ kid: string }>(
      `UPDATE signing_key SET status = 'retired', retired_at = clock_timestamp(), sealed_jwk = NULL
        WHERE alg = $1 AND status = 'current' RETURNING kid`,
      [alg],
    )
    const current = await sql.query<{ kid: string }>(
      `UPDATE signing_key SET status = 'current' WHERE alg = $1 AND status = 'next' RETURNING kid`,
      [alg],
    )
    await insertKey(sql, alg, 'next')
    await sql.query(
      `DELETE FROM signing_key
        WHERE status = 'retired' AND retired_at < now() - 2 * make_interval(secs => $1)`,
      [publishedSeconds],
    )
    return { kid: current.rows[0]?.kid ?? '', retired: retired.rows[0]?.kid ?? '' }
  }

  return {
    snapshot,

    rotate: async () => (await rotateIfOlder(0)) as KeyRotation,
    rotateIfOlder,

    async list() {
      await snapshot()
      const { rows } = await pool.query<{
        kid: string
        alg: string
        state: SigningKeyView['state']
        created_at: number
        retired_at: number | null
      }>(
        `SELECT kid, alg, status AS state, floor(extract(epoch FROM created_at))::float8 AS created_at,
                floor(extract(epoch FROM retired_at))::float8 AS retired_at
           FROM signing_key
          WHERE status <> 'retired' OR retired_at > now() - make_interval(secs => $1)
          ORDER BY signing_key.created_at, kid`,
        [publishedSeconds],
      )
      return rows.map(({ kid, alg, state, created_at, retired_at }) => ({
        kid,
        alg,
        state,
        createdAt: created_at,
        ...(retired_at === null ? {} : { retiredAt: retired_at }),
      }))
    },

    keySource: {
      description: 'the signing keys of this server',
      async find(alg, kid) {
        await snapshot()
        const found = parsed.ok ? keysFor(parsed.keys, alg, kid) : []
        // Rotated by another process a moment ago; looked up at most once a second.
        if (found.length > 0 || nowMs() - knownAtMs < 1000) return found
        await refresh()
        return parsed.ok ? keysFor(parsed.keys, alg, kid) : []
      },
      holds: (key) => parsed.ok && parsed.keys.some(({ kid }) => kid === key.kid),
    },
  }
}

function placeOf(kid: string): string {
  return `signing_key:${kid}`
}
