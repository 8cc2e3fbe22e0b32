import { createHash, randomBytes } from 'node:crypto'
import { type Sealer, UnsealError } from '@scopegate/secrets'
import type { Storage } from '@scopegate/storage'
import type { SessionSecrets, StoredSession, WebSessionStore } from './web-session.ts'

interface Row {
  readonly id: string
  readonly issuer: string
  readonly client_id: string
  readonly subject: string
  readonly sealed: string
  readonly generation: number
  readonly refresh_ms: number | null
  readonly seen_ms: number
  readonly expires_ms: number
  readonly idle_ms: number
}

/** Every process hears of sessions that end. */
export const ENDED_CHANNEL = 'scopegate_web_session_ended'

const COLUMNS =
  'id, issuer, client_id, subject, sealed, generation, refresh_ms, seen_ms, expires_ms, idle_ms'
/** $1: now. */
const LIVES = 'expires_ms > $1 AND seen_ms + idle_ms > $1'
const TOUCH_MS = 60_000
const MOST_REMEMBERED = 1000

/**
 * Sessions of the browsers of one API. The token is 256 random bits, of which the SHA-256 is stored;
 * tokens of the provider and claims are sealed for this session.
 */
export function createWebSessionStore(deps: {
  readonly pool: Storage['pool']
  readonly sealer: Sealer
  readonly nowMs: () => number
  /** The name of the API. */
  readonly api: string
  /** Told of what ends by this process. */
  readonly onEnded: (id: string) => void
}): WebSessionStore {
  const { pool, sealer, nowMs, api, onEnded } = deps
  // Unsealing costs more than everything else; a session of the same generation is the same.
  const opened = new Map<string, { readonly sealed: string; readonly secrets: SessionSecrets }>()

  function open(row: Row): StoredSession | undefined {
    let known = opened.get(row.id)
    if (known?.sealed !== row.sealed) {
      const secrets = unseal(row)
      if (secrets === undefined) return undefined
      known = { sealed: row.sealed, secrets }
      opened.delete(row.id)
      opened.set(row.id, known)
      if (opened.size > MOST_REMEMBERED) opened.delete(opened.keys().next().value ?? '')
    }
    return {
      id: row.id,
      issuer: row.issuer,
      clientId: row.client_id,
      subject: row.subject,
      generation: row.generation,
      refreshMs: row.refresh_ms ?? undefined,
      endsMs: Math.min(row.expires_ms, row.seen_ms + row.idle_ms),
      secrets: known.secrets,
    }
  }

  function unseal({ id, sealed }: Row): SessionSecrets | undefined {
    try {
      return JSON.parse(sealer.unseal(sealed, contextOf(id)).toString('utf8'))
    } catch (error) {
      if (error instanceof UnsealError) return undefined
      throw error
    }
  }

  const seal = (id: string, secrets: SessionSecrets) =>
    sealer.seal(JSON.stringify(secrets), contextOf(id))

  async function remove(where: string, values: readonly unknown[]): Promise<readonly Row[]> {
    const { rows } = await pool.query<Row>(
      `WITH gone AS (DELETE FROM web_session WHERE ${where} RETURNING ${COLUMNS})
       SELECT gone.*, pg_notify('${ENDED_CHANNEL}', id) FROM gone`,
      [...values],
    )
    for (const { id } of rows) {
      opened.delete(id)
      onEnded(id)
    }
    return rows
  }

  return {
    async start({ secrets, replaces, ...session }) {
      const token = randomBytes(32).toString('base64url')
      const id = `w_${randomBytes(16).toString('base64url')}`
      if (replaces !== undefined) {
        await remove('token_hash = $1 AND api = $2', [hashOf(replaces), api])
      }
      const now = nowMs()
      await pool.query(
        `INSERT INTO web_session (id, token_hash, api, issuer, client_id, subject, sid, sealed,
                                  refresh_ms, started_ms, seen_ms, expires_ms, idle_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12)`,
        [
          ...[id, hashOf(token), api, session.issuer, session.clientId, session.subject],
          ...[session.sid ?? null, seal(id, secrets), session.refreshMs ?? null],
          ...[now, session.expiresMs, session.idleMs],
        ],
      )
      return { token, id }
    },

    async find(token) {
      const now = nowMs()
      const { rows } = await pool.query<Row>({
        name: 'web-session-find',
        text: `SELECT ${COLUMNS} FROM web_session WHERE ${LIVES} AND token_hash = $2 AND api = $3`,
        values: [now, hashOf(token), api],
      })
      const [row] = rows
      if (row === undefined) return undefined
      const session = open(row)
      if (session === undefined) {
        await remove('id = $1', [row.id])
        return undefined
      }
      const touchMs = Math.min(TOUCH_MS, row.idle_ms / 4)
      if (now - row.seen_ms < touchMs) return session
      // Of parallel requests one writes.
      await pool.query('UPDATE web_session SET seen_ms = $2 WHERE id = $1 AND seen_ms <= $3', [
        row.id,
        now,
        now - touchMs,
      ])
      return { ...session, endsMs: Math.min(row.expires_ms, now + row.idle_ms) }
    },

    async isAlive(id) {
      const { rowCount } = await pool.query({
        name: 'web-session-is-alive',
        text: `SELECT FROM web_session WHERE ${LIVES} AND id = $2`,
        values: [nowMs(), id],
      })
      return rowCount === 1
    },

    async progress(id) {
      const { rows } = await pool.query<{ generation: number; retry_ms: number }>(
        `SELECT generation, retry_ms FROM web_session WHERE ${LIVES} AND id = $2`,
        [nowMs(), id],
      )
      return rows[0] && { generation: rows[0].generation, retryMs: rows[0].retry_ms }
    },

    async claimRefresh(id, generation, leaseMs) {
      const now = nowMs()
      const { rowCount } = await pool.query(
        `UPDATE web_session SET refreshing_ms = $3
          WHERE id = $1 AND generation = $2 AND refreshing_ms <= $4 AND retry_ms <= $4`,
        [id, generation, now + leaseMs, now],
      )
      return rowCount === 1
    },

    async finishRefresh(id, generation, secrets, refreshMs) {
      const { rowCount } = await pool.query(
        `UPDATE web_session
            SET sealed = $3, refresh_ms = $4, generation = generation + 1, refreshing_ms = 0
          WHERE id = $1 AND generation = $2`,
        [id, generation, seal(id, secrets), refreshMs ?? null],
      )
      return rowCount === 1
    },

    async postponeRefresh(id, generation, pauseMs) {
      await pool.query(
        `UPDATE web_session SET retry_ms = $3, refreshing_ms = 0
          WHERE id = $1 AND generation = $2`,
        [id, generation, nowMs() + pauseMs],
      )
    },

    async end(id) {
      await remove('id = $1', [id])
    },

    async endByToken(token) {
      const [row] = await remove('token_hash = $1 AND api = $2', [hashOf(token), api])
      const session = row && open(row)
      if (row !== undefined) opened.delete(row.id)
      return session
    },

    async endAtProvider({ issuer, clientId, subject, sid }) {
      // A logout token names a subject, a session or both; one that names none ends none.
      if (subject === undefined && sid === undefined) return 0
      const rows = await remove(
        `issuer = $1 AND ($2::text IS NULL OR client_id = $2)
         AND ($3::text IS NULL OR subject = $3) AND ($4::text IS NULL OR sid = $4)`,
        [issuer, clientId ?? null, subject ?? null, sid ?? null],
      )
      return rows.length
    },
  }
}

/** Removes what has ended by itself. @returns how many there were */
export async function deleteExpiredWebSessions(
  pool: Storage['pool'],
  nowMs: number,
): Promise<number> {
  const { rowCount } = await pool.query(
    'DELETE FROM web_session WHERE expires_ms <= $1 OR seen_ms + idle_ms <= $1',
    [nowMs],
  )
  return rowCount ?? 0
}

function contextOf(id: string): string {
  return `web_session:${id}`
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
