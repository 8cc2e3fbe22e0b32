import type { Sealer } from '@scopegate/secrets'
import type { Pool } from 'pg'
import type { Attempts } from '../attempts/create-attempts.ts'
import type { PasswordHasher } from '../passwords/create-password-hasher.ts'
import { USER_COLUMNS, type UserRow } from './user-row.ts'

/** What the parts of {@link createUsers} share. */
export interface UsersContext {
  readonly pool: Pool
  readonly sealer: Sealer
  readonly hasher: PasswordHasher
  readonly attempts: Attempts
  readonly nowMs: () => number
  readonly minPasswordCharacters: number
  /** Words that make a password easy to guess here. */
  readonly contextWords: readonly string[]
  /** What authenticator apps show as the place. */
  readonly totpIssuer: string
  /** Keyed: the table tells nobody where people are. */
  readonly addressKeyOf: (address: string) => Buffer
}

/** Nothing but the user of this id. */
export async function readUserRow(
  { pool }: Pick<UsersContext, 'pool'>,
  id: string,
): Promise<UserRow | undefined> {
  const { rows } = await pool.query<UserRow>({
    name: 'identity-find-user',
    text: `SELECT ${USER_COLUMNS} FROM identity_user u WHERE u.id = $1`,
    values: [id],
  })
  return rows[0]
}

/** Where a user's password hash is sealed for. */
export function passwordPlace(userId: string): string {
  return `identity_user.password:${userId}`
}

export function totpPlace(userId: string): string {
  return `identity_totp.secret:${userId}`
}
