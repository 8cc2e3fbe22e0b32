import { randomBytes } from 'node:crypto'
import type { UserChanges } from '../user.ts'
import { parseUsername } from '../username.ts'
import type { UpstreamAnswer, UpstreamLogin, Users } from '../users.ts'
import { isUsernameTaken, newUserId } from './administration.ts'
import { type Columns, parseAttributes } from './user-attributes.ts'
import { toUser, USER_COLUMNS, type UserRow } from './user-row.ts'
import type { UsersContext } from './users-context.ts'

const ATTEMPTS = 5

/**
 * Finds or makes the user of a verified upstream sign-in. A user name that is taken here is not
 * taken over: the new user gets one of its own, since a name elsewhere proves nothing here.
 */
export function createLinkUpstream({ pool, nowMs }: UsersContext): Users['linkUpstream'] {
  return async function linkUpstream(login): Promise<UpstreamAnswer> {
    const { username, ...rest } = login.claims ?? {}
    const parsed = parseAttributes(withoutMissing(rest))
    if (!parsed.ok) return { kind: 'refused', reason: 'bad-claims', why: parsed.why }
    const wanted = usableName(username ?? rest.email ?? rest.name)

    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await findLinked(login, parsed.columns)
      if (found) {
        if (found.disabled) return { kind: 'refused', reason: 'disabled' }
        return { kind: 'done', user: toUser(found), created: false }
      }
      const suffix = randomBytes(4).toString('hex')
      const name = attempt === 0 && wanted !== undefined ? wanted : `${wanted ?? 'user'}-${suffix}`
      try {
        await make(login, parsed.columns, name)
      } catch (error) {
        // The name is taken: with a suffix, then. The link is taken: somebody was faster, find it.
        if (!isUsernameTaken(error) && !isLinkTaken(error)) throw error
        continue
      }
      const made = await findLinked(login, {})
      if (made) return { kind: 'done', user: toUser(made), created: true }
    }
    throw new Error('an upstream user could not be made: names and links kept colliding')
  }

  async function findLinked(
    { issuer, subject }: UpstreamLogin,
    columns: Columns,
  ): Promise<UserRow | undefined> {
    const { rows: links } = await pool.query<{ user_id: string }>(
      `UPDATE identity_upstream SET last_used_ms = $3 WHERE issuer = $1 AND subject = $2
       RETURNING user_id`,
      [issuer, subject, nowMs()],
    )
    const userId = links[0]?.user_id
    if (userId === undefined) return undefined
    const names = Object.keys(columns)
    if (names.length > 0) {
      const set = [...names, 'updated_ms'].map((name, index) => `${name} = $${index + 2}`)
      await pool.query(`UPDATE identity_user SET ${set.join(', ')} WHERE id = $1`, [
        userId,
        ...Object.values(columns),
        nowMs(),
      ])
    }
    const { rows } = await pool.query<UserRow>(
      `SELECT ${USER_COLUMNS} FROM identity_user u WHERE u.id = $1`,
      [userId],
    )
    return rows[0]
  }

  /** User and link in one statement: there is never one without the other. */
  async function make(
    { issuer, subject }: UpstreamLogin,
    columns: Columns,
    wanted: string,
  ): Promise<void> {
    const parsed = parseUsername(wanted)
    if (!parsed.ok) throw new TypeError('a made user name is usable')
    const now = nowMs()
    const all = {
      name: parsed.username,
      ...columns,
      id: newUserId(),
      username: parsed.username,
      username_key: parsed.key,
      created_ms: now,
      updated_ms: now,
    }
    const names = Object.keys(all)
    const at = names.length
    await pool.query(
      `WITH made AS (
         INSERT INTO identity_user (${names.join(', ')})
         VALUES (${names.map((_, index) => `$${index + 1}`).join(', ')}) RETURNING id
       )
       INSERT INTO identity_upstream (issuer, subject, user_id, created_ms, last_used_ms)
       SELECT $${at + 1}, $${at + 2}, id, $${at + 3}, $${at + 3} FROM made`,
      [...Object.values(all), issuer, subject, now],
    )
  }
}

function withoutMissing(claims: NonNullable<UpstreamLogin['claims']>): UserChanges {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
}

/** What people elsewhere are called, as a user name: blanks become dots. */
function usableName(text: string | undefined): string | undefined {
  const plain = text?.trim().replaceAll(/\s+/g, '.').slice(0, 80)
  return plain !== undefined && parseUsername(plain).ok ? plain : undefined
}

function isLinkTaken(error: unknown): boolean {
  const { code, constraint } = error as { code?: string; constraint?: string }
  return code === '23505' && constraint === 'identity_upstream_pkey'
}
