import { randomBytes } from 'node:crypto'
import type { UserChanges } from '../user.ts'
import { parseUsername } from '../username.ts'
import type { UpstreamAnswer, UpstreamLogin, Users } from '../users.ts'
import { isUsernameTaken, newUserId } from './administration.ts'
import { type Columns, parseAttributes } from './user-attributes.ts'
import { toUser, USER_COLUMNS, type UserRow } from './user-row.ts'
import type { UsersContext } from './users-context.ts'

const ATTEMPTS = 5

/** What columns hold when what came from elsewhere comes no more. */
const EMPTY = { email: null, fhir_user: null, roles: [], locale: null } as const

/**
 * Finds or makes the user of a verified upstream sign-in. A user name that is taken here is not
 * taken over: the new user gets one of its own, since a name elsewhere proves nothing here.
 */
export function createLinkUpstream({ pool, nowMs }: UsersContext): Users['linkUpstream'] {
  return async function linkUpstream(login): Promise<UpstreamAnswer> {
    const { username, ...claims } = login.claims ?? {}
    const parsed = parseAttributes(withoutMissing(claims))
    if (!parsed.ok) return { kind: 'refused', reason: 'bad-claims', why: parsed.why }
    const { columns } = parsed
    const wanted = usableName(username ?? claims.email ?? claims.name)

    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await findLinked(login, columns)
      if (found) {
        if (found.disabled) return { kind: 'refused', reason: 'disabled' }
        return { kind: 'done', user: toUser(found), created: false }
      }
      const suffix = randomBytes(4).toString('hex')
      const name = attempt === 0 && wanted !== undefined ? wanted : `${wanted ?? 'user'}-${suffix}`
      try {
        await make(login, columns, name)
      } catch (error) {
        // The name is taken: with a suffix, then. The link is taken: somebody was faster, find it.
        if (!isUsernameTaken(error) && !isLinkTaken(error)) throw error
        continue
      }
      const made = await findLinked(login, columns)
      if (made) return { kind: 'done', user: toUser(made), created: true }
    }
    throw new Error('an upstream user could not be made: names and links kept colliding')
  }

  async function findLinked(
    { issuer, subject }: UpstreamLogin,
    columns: Columns,
  ): Promise<UserRow | undefined> {
    const now = nowMs()
    const { rows: links } = await pool.query<{ user_id: string; managed: string[] }>(
      `UPDATE identity_upstream SET last_used_ms = $3 WHERE issuer = $1 AND subject = $2
       RETURNING user_id, managed`,
      [issuer, subject, now],
    )
    const [link] = links
    if (link === undefined) return undefined
    const userId = link.user_id
    const cleared = link.managed
      .filter((name) => name in EMPTY && !(name in columns))
      .map((name) => [name, EMPTY[name as keyof typeof EMPTY]] as const)
    const changed = { ...columns, ...Object.fromEntries(cleared) }
    const names = Object.keys(changed)
    if (names.length > 0) {
      const at = names.length + 1
      const set = names.map((name, index) => `${name} = $${index + 1}`)
      await pool.query(
        `WITH link AS (
           UPDATE identity_upstream SET managed = $${at + 2} WHERE issuer = $${at + 3} AND subject = $${at + 4}
         )
         UPDATE identity_user SET ${set.join(', ')}, updated_ms = $${at} WHERE id = $${at + 1}`,
        [...Object.values(changed), now, userId, Object.keys(columns), issuer, subject],
      )
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

/** No roles is none said, not a list that empties what an operator gave. */
function withoutMissing({ roles, ...claims }: NonNullable<UpstreamLogin['claims']>): UserChanges {
  return {
    ...Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined)),
    ...(roles !== undefined && roles.length > 0 && { roles }),
  }
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
