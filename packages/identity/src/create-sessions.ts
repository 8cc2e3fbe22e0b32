import { createHash, randomBytes } from 'node:crypto'
import type { Pool } from 'pg'
import type { Session, UpstreamSession } from './session.ts'
import type { Sessions } from './sessions.ts'
import { toUser, USER_COLUMNS, type UserRow } from './users/user-row.ts'

export interface SessionsDeps {
  readonly pool: Pool
  readonly nowMs: () => number
  /** Without a request for so long, the session ends. */
  readonly idleSeconds: number
  /** After so long it ends anyway. */
  readonly absoluteSeconds: number
}

interface SessionRow {
  readonly id: string
  readonly user_id: string
  readonly amr: string[]
  readonly upstream: UpstreamSession | null
  readonly address: string | null
  readonly device: string | null
  readonly started_ms: number
  readonly seen_ms: number
  readonly expires_ms: number
}

const COLUMNS =
  's.id, s.user_id, s.amr, s.upstream, s.address, s.device, s.started_ms, s.seen_ms, s.expires_ms'

/** $1: now, $2: seen at the earliest. */
const LIVES = `
  s.expires_ms > $1 AND s.seen_ms > $2
  AND EXISTS (SELECT FROM identity_user u WHERE u.id = s.user_id AND NOT u.disabled)`

/** Seen is written at most so often: a page with many pictures is one write. */
const TOUCH_MS = 60_000
const DEVICE_CHARACTERS = 256

/**
 * Sessions in the database, so that every process knows them. The token is 256 random bits; what is
 * stored is its SHA-256, which finds a session and makes no cookie.
 *
 * @see NIST SP 800-63B, session management; OWASP Session Management Cheat Sheet
 */
export function createSessions({
  pool,
  nowMs,
  idleSeconds,
  absoluteSeconds,
}: SessionsDeps): Sessions {
  const idleMs = idleSeconds * 1000
  const touchMs = Math.min(TOUCH_MS, idleMs / 4)
  const bounds = () => [nowMs(), nowMs() - idleMs]

  function toSession(row: SessionRow): Session {
    return {
      id: row.id,
      userId: row.user_id,
      amr: row.amr,
      authTime: Math.floor(row.started_ms / 1000),
      expiresAt: Math.floor(Math.min(row.expires_ms, row.seen_ms + idleMs) / 1000),
      seenAt: Math.floor(row.seen_ms / 1000),
      ...(row.upstream !== null && { upstream: row.upstream }),
      ...(row.address !== null && { address: row.address }),
      ...(row.device !== null && { device: row.device }),
    }
  }

  async function touch(row: SessionRow): Promise<Session> {
    const now = nowMs()
    if (now - row.seen_ms < touchMs) return toSession(row)
    // Of parallel requests one writes.
    await pool.query('UPDATE identity_session SET seen_ms = $2 WHERE id = $1 AND seen_ms <= $3', [
      row.id,
      now,
      now - touchMs,
    ])
    return toSession({ ...row, seen_ms: now })
  }

  return {
    async start({ userId, amr, upstream, address, userAgent, replaces }) {
      const token = randomBytes(32).toString('base64url')
      const now = nowMs()
      if (replaces !== undefined) {
        await pool.query('DELETE FROM identity_session WHERE token_hash = $1', [hashOf(replaces)])
      }
      const { rows } = await pool.query<SessionRow>(
        `INSERT INTO identity_session AS s
           (id, token_hash, user_id, amr, upstream, address, device, started_ms, seen_ms, expires_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)
         RETURNING ${COLUMNS}`,
        [
          `s_${randomBytes(16).toString('base64url')}`,
          hashOf(token),
          userId,
          amr,
          upstream === undefined ? null : JSON.stringify(onlyKnown(upstream)),
          address ?? null,
          userAgent?.slice(0, DEVICE_CHARACTERS) ?? null,
          now,
          now + absoluteSeconds * 1000,
        ],
      )
      return { token, session: toSession(rows[0] as SessionRow) }
    },

    async find(token) {
      const { rows } = await pool.query<SessionRow>({
        name: 'identity-find-session',
        text: `SELECT ${COLUMNS} FROM identity_session s WHERE ${LIVES} AND s.token_hash = $3`,
        values: [...bounds(), hashOf(token)],
      })
      return rows[0] && touch(rows[0])
    },

    async findSignedIn(token) {
      const { rows } = await pool.query<UserRow & Omit<SessionRow, 'id'> & { session_id: string }>({
        name: 'identity-find-signed-in',
        text: `SELECT ${USER_COLUMNS}, ${COLUMNS.replace('s.id', 's.id AS session_id')}
                 FROM identity_session s JOIN identity_user u ON u.id = s.user_id
                WHERE ${LIVES} AND s.token_hash = $3`,
        values: [...bounds(), hashOf(token)],
      })
      const [row] = rows
      if (row === undefined) return undefined
      return { session: await touch({ ...row, id: row.session_id }), user: toUser(row) }
    },

    async isAlive(sessionId) {
      const { rowCount } = await pool.query({
        name: 'identity-session-is-alive',
        text: `SELECT FROM identity_session s WHERE ${LIVES} AND s.id = $3`,
        values: [...bounds(), sessionId],
      })
      return rowCount === 1
    },

    async end(sessionId) {
      await pool.query('DELETE FROM identity_session WHERE id = $1', [sessionId])
    },

    async endAllOf(userId, { except } = {}) {
      const { rowCount } = await pool.query(
        'DELETE FROM identity_session WHERE user_id = $1 AND id IS DISTINCT FROM $2',
        [userId, except ?? null],
      )
      return rowCount ?? 0
    },

    async endUpstream({ issuer, subject, sid }) {
      // A logout token names a subject, a session or both; one that names none ends none.
      if (subject === undefined && sid === undefined) return 0
      const { rowCount } = await pool.query(
        `DELETE FROM identity_session
          WHERE upstream ->> 'issuer' = $1
            AND ($2::text IS NULL OR upstream ->> 'subject' = $2)
            AND ($3::text IS NULL OR upstream ->> 'sid' = $3)`,
        [issuer, subject ?? null, sid ?? null],
      )
      return rowCount ?? 0
    },

    async listUpstream({ issuer, subject, sid }) {
      if (subject === undefined && sid === undefined) return []
      const { rows } = await pool.query<SessionRow>(
        `SELECT ${COLUMNS} FROM identity_session s
          WHERE ${LIVES} AND s.upstream ->> 'issuer' = $3
            AND ($4::text IS NULL OR s.upstream ->> 'subject' = $4)
            AND ($5::text IS NULL OR s.upstream ->> 'sid' = $5)
          ORDER BY s.seen_ms DESC, s.id`,
        [...bounds(), issuer, subject ?? null, sid ?? null],
      )
      return rows.map(toSession)
    },

    async listOf(userId) {
      const { rows } = await pool.query<SessionRow>(
        `SELECT ${COLUMNS} FROM identity_session s
          WHERE ${LIVES} AND s.user_id = $3 ORDER BY s.seen_ms DESC, s.id`,
        [...bounds(), userId],
      )
      return rows.map(toSession)
    },
  }
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

/** Whatever the caller has, only these are stored: no token of the other issuer. */
function onlyKnown({ issuer, subject, sid }: UpstreamSession): UpstreamSession {
  return { issuer, subject, ...(sid !== undefined && { sid }) }
}
