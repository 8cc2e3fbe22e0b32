import type { VerifiedToken } from '@scopegate/oauth-model'
import { essentialWrite } from '@scopegate/storage'
import type { Pool } from 'pg'

/** What a token is recognised by. */
export type RevocableToken = Pick<
  VerifiedToken,
  'issuer' | 'jti' | 'grantId' | 'clientId' | 'subject' | 'issuedAt'
>

/** Access tokens that were ended before they expire: the same list for every process. */
export interface Revocations {
  /**
   * Whether the token, its grant, its client or its user was revoked. Known to this process at once,
   * to every other within `refreshMs`: the answer is never from a list read longer ago than that.
   * Without a query and synchronous but for one call in `refreshMs`. Tokens of other issuers are
   * never revoked here.
   *
   * @throws the error of the database when the list could not be read for `staleMs`: a token that
   * may have been revoked is not accepted.
   */
  isRevoked(token: RevocableToken): boolean | Promise<boolean>
  /** @param expiresAt epoch seconds, of the token */
  revokeToken(jti: string, expiresAt: number): Promise<void>
  /** Ends every access token of these grants; refresh tokens are the grant's owner's to end. */
  revokeGrant(...grantIds: readonly string[]): Promise<void>
  /** Ends what was issued to the client until now; it may get new tokens unless it is disabled. */
  revokeClient(clientId: string): Promise<void>
  /** Ends what was issued for the user until now. */
  revokeUser(userId: string): Promise<void>
  /** Forgets what is about expired tokens only; run now and then. The number of rows removed. */
  forgetExpired(): Promise<number>
}

export interface RevocationsDeps {
  readonly pool: Pool
  /** Whose tokens the list is about. */
  readonly issuer: string
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  /** The longest that an access token lives, with the clock tolerance. */
  readonly maxTokenSeconds: number
  /** How old the list may be: the time to effect in other processes. Default 2000. */
  readonly refreshMs?: number
  /** How long a database that cannot be asked is borne. Default 30 000. */
  readonly staleMs?: number
}

type Kind = 'token' | 'grant' | 'client' | 'user'

interface Revocation {
  /** Epoch seconds, by the clock of the database. */
  readonly revokedAt: number
  readonly expiresAt: number
}

interface Row {
  kind: Kind
  key: string
  revoked_at: number
  expires_at: number
}

/** A row may become visible that much later than its `revoked_at` says: the length of its transaction. */
const OVERLAP_SECONDS = 60
const PRUNE_MS = 60_000

/**
 * A table, and a copy of it in memory that is brought up to date by what is new in it. Polled when a
 * token is judged and not by a timer, so that an idle server asks nothing.
 *
 * @see RFC 7009 §2.1 on propagation
 */
export function createRevocations(deps: RevocationsDeps): Revocations {
  const { pool, issuer, nowMs, maxTokenSeconds } = deps
  const refreshMs = deps.refreshMs ?? 2000
  const staleMs = Math.max(deps.staleMs ?? 30_000, refreshMs)
  const known: Record<Kind, Map<string, Revocation>> = {
    token: new Map(),
    grant: new Map(),
    client: new Map(),
    user: new Map(),
  }
  let newestAt = 0
  let readAtMs = Number.NEGATIVE_INFINITY
  let prunedAtMs = Number.NEGATIVE_INFINITY
  let pending: Promise<void> | undefined

  function remember({ kind, key, revoked_at, expires_at }: Row): void {
    known[kind].set(key, { revokedAt: revoked_at, expiresAt: expires_at })
  }

  async function read(): Promise<void> {
    // Before the query: what is committed from now on may be missing in its answer.
    const startedMs = nowMs()
    const { rows } = await pool.query<Row>({
      name: 'oauth-read-revocations',
      text: `SELECT kind, key, extract(epoch FROM revoked_at)::float8 AS revoked_at,
                    extract(epoch FROM expires_at)::float8 AS expires_at
               FROM revocation
              WHERE revoked_at > to_timestamp($1) AND expires_at > now()`,
      values: [Math.max(0, newestAt - OVERLAP_SECONDS)],
    })
    for (const row of rows) {
      remember(row)
      newestAt = Math.max(newestAt, row.revoked_at)
    }
    readAtMs = Math.max(readAtMs, startedMs)
    if (startedMs - prunedAtMs >= PRUNE_MS) prune(startedMs)
  }

  function prune(atMs: number): void {
    prunedAtMs = atMs
    for (const revocations of Object.values(known)) {
      for (const [key, { expiresAt }] of revocations) {
        if (expiresAt * 1000 < atMs) revocations.delete(key)
      }
    }
  }

  function refresh(): Promise<void> {
    pending ??= read().finally(() => {
      pending = undefined
    })
    return pending
  }

  async function judgeRefreshed(token: RevocableToken): Promise<boolean> {
    try {
      await refresh()
      // A query that was under way when this was asked may be older than that.
      if (nowMs() - readAtMs >= refreshMs) await refresh()
    } catch (error) {
      if (nowMs() - readAtMs >= staleMs) throw error
    }
    return judge(token)
  }

  function judge({ jti, grantId, clientId, subject, issuedAt }: RevocableToken): boolean {
    if (jti !== undefined && known.token.has(jti)) return true
    if (grantId !== undefined && known.grant.has(grantId)) return true
    return (
      isBefore(issuedAt, known.client.get(clientId)) || isBefore(issuedAt, known.user.get(subject))
    )
  }

  async function write(kind: Kind, keys: readonly string[], expiresAt?: number): Promise<void> {
    if (keys.length === 0) return
    const connection = await pool.connect()
    let failed = false
    try {
      const { rows } = await essentialWrite(connection, (writing) =>
        writing.query<Row>({
          name: 'oauth-revoke',
          text: `INSERT INTO revocation (kind, key, expires_at)
                 SELECT $1, key, coalesce(to_timestamp($3), now() + make_interval(secs => $4))
                   FROM unnest($2::text[]) AS key GROUP BY key
                 ON CONFLICT (kind, key) DO UPDATE
                    SET revoked_at = excluded.revoked_at,
                        expires_at = greatest(revocation.expires_at, excluded.expires_at)
                 RETURNING kind, key, extract(epoch FROM revoked_at)::float8 AS revoked_at,
                           extract(epoch FROM expires_at)::float8 AS expires_at`,
          values: [kind, keys, expiresAt ?? null, maxTokenSeconds],
        }),
      )
      rows.forEach(remember)
    } catch (error) {
      failed = true
      throw error
    } finally {
      connection.release(failed)
    }
  }

  return {
    isRevoked(token) {
      if (token.issuer !== issuer) return false
      return nowMs() - readAtMs < refreshMs ? judge(token) : judgeRefreshed(token)
    },
    revokeToken: (jti, expiresAt) => write('token', [jti], expiresAt + OVERLAP_SECONDS),
    revokeGrant: (...grantIds) => write('grant', grantIds),
    revokeClient: (clientId) => write('client', [clientId]),
    revokeUser: (userId) => write('user', [userId]),

    async forgetExpired() {
      const { rowCount } = await pool.query(
        `DELETE FROM revocation WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM revocation WHERE expires_at < now() LIMIT 5000))`,
      )
      return rowCount ?? 0
    },
  }
}

/** `iat` holds whole seconds: what was issued within the second of the revocation counts as before it. */
function isBefore(issuedAt: number, revocation: Revocation | undefined): boolean {
  return revocation !== undefined && issuedAt <= revocation.revokedAt
}
