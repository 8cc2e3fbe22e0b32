import { randomBytes } from 'node:crypto'
import type { User, UserAnswer, UserChanges } from '../user.ts'
import { parseUsername } from '../username.ts'
import type { Users } from '../users.ts'
import { NO_SUCH_USER, preparePassword, refusalOf } from './password-changes.ts'
import { parseAttributes } from './user-attributes.ts'
import { toUser, USER_COLUMNS, type UserRow } from './user-row.ts'
import { readUserRow, type UsersContext } from './users-context.ts'

type Administration = Pick<
  Users,
  'find' | 'findByUsername' | 'list' | 'add' | 'update' | 'disable' | 'enable' | 'remove'
>

const DEFAULT_COUNT = 100
const MAX_COUNT = 1000

/** 128 random bits: nobody guesses who else there is. */
export function newUserId(): string {
  return `u_${randomBytes(16).toString('base64url')}`
}

/** What operators do with users. */
export function createAdministration(context: UsersContext): Administration {
  const { pool, nowMs } = context

  async function update(
    id: string,
    changes: UserChanges,
  ): Promise<UserAnswer<{ readonly user: User }>> {
    const parsed = parseAttributes(changes)
    if (!parsed.ok) return parsed
    const names = Object.keys(parsed.columns)
    const set = [...names, 'updated_ms'].map((name, index) => `${name} = $${index + 2}`)
    try {
      const { rowCount } = await pool.query(
        `WITH changed AS (
           UPDATE identity_user SET ${set.join(', ')} WHERE id = $1 RETURNING id, disabled
         ), ended AS (
           DELETE FROM identity_session WHERE user_id IN (SELECT id FROM changed WHERE disabled)
         )
         SELECT FROM changed`,
        [id, ...Object.values(parsed.columns), nowMs()],
      )
      if (rowCount === 0) return NO_SUCH_USER
    } catch (error) {
      if (isUsernameTaken(error)) return usernameTaken(changes.username)
      throw error
    }
    const row = await readUserRow(context, id)
    return row === undefined ? NO_SUCH_USER : { ok: true, user: toUser(row) }
  }

  return {
    async find(id) {
      const row = await readUserRow(context, id)
      return row && toUser(row)
    },

    async findByUsername(username) {
      const parsed = parseUsername(username)
      if (!parsed.ok) return undefined
      const { rows } = await pool.query<UserRow>(
        `SELECT ${USER_COLUMNS} FROM identity_user u WHERE u.username_key = $1`,
        [parsed.key],
      )
      return rows[0] && toUser(rows[0])
    },

    async list({ text, cursor, count = DEFAULT_COUNT } = {}) {
      const take = Math.min(Math.max(1, Math.floor(count)), MAX_COUNT)
      const after = cursor === undefined ? '' : Buffer.from(cursor, 'base64url').toString()
      const { rows } = await pool.query<UserRow & { username_key: string }>(
        `SELECT ${USER_COLUMNS}, u.username_key FROM identity_user u
          WHERE u.username_key > $1 AND ($2::text IS NULL
             OR position($2 in u.username_key) > 0
             OR position($2 in lower(u.name)) > 0
             OR position($2 in lower(u.email)) > 0)
          ORDER BY u.username_key LIMIT $3`,
        [withoutNul(after), text === undefined ? null : withoutNul(text.toLowerCase()), take + 1],
      )
      const page = rows.slice(0, take)
      const last = page.at(-1)
      return {
        users: page.map(toUser),
        ...(rows.length > take &&
          last && { next: Buffer.from(last.username_key).toString('base64url') }),
      }
    },

    async add({ password, ...user }) {
      const id = newUserId()
      const parsed = parseAttributes({ ...user, name: user.name ?? user.username })
      if (!parsed.ok) return parsed
      const prepared =
        password === null
          ? undefined
          : await preparePassword(
              context,
              { id, username: user.username, name: user.name ?? '', email: user.email ?? null },
              password,
            )
      if (prepared !== undefined && prepared.kind !== 'sealed') return refusalOf(prepared)
      const now = nowMs()
      const columns = {
        id,
        ...parsed.columns,
        sealed_password: prepared?.sealed ?? null,
        must_change_password: prepared?.oneTimePassword !== undefined,
        password_set_ms: prepared === undefined ? null : now,
        created_ms: now,
        updated_ms: now,
      }
      try {
        const keys = Object.keys(columns)
        await pool.query(
          `INSERT INTO identity_user (${keys.join(', ')})
           VALUES (${keys.map((_, index) => `$${index + 1}`).join(', ')})`,
          Object.values(columns),
        )
      } catch (error) {
        if (isUsernameTaken(error)) return usernameTaken(user.username)
        throw error
      }
      const row = await readUserRow(context, id)
      if (row === undefined) return NO_SUCH_USER
      return {
        ok: true,
        user: toUser(row),
        ...(prepared?.oneTimePassword !== undefined && {
          oneTimePassword: prepared.oneTimePassword,
        }),
      }
    },

    update,
    disable: (id) => update(id, { disabled: true }),
    enable: (id) => update(id, { disabled: false }),

    async remove(id) {
      const { rowCount } = await pool.query('DELETE FROM identity_user WHERE id = $1', [id])
      return rowCount === 0 ? NO_SUCH_USER : { ok: true }
    },
  }
}

export function isUsernameTaken(error: unknown): boolean {
  const { code, constraint } = error as { code?: string; constraint?: string }
  return code === '23505' && constraint === 'identity_user_username_key_key'
}

function usernameTaken(username = ''): UserAnswer<never> {
  return {
    ok: false,
    status: 409,
    why: `there is a user \`${username.slice(0, 100)}\` already, perhaps spelled in other letters`,
    fix: 'choose another user name, or change that user',
  }
}

/** PostgreSQL takes no NUL in text, and finds nothing by it. */
function withoutNul(text: string): string {
  return text.replaceAll('\0', '')
}
