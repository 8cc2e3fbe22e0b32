import type { SignIn } from '../sign-in.ts'
import { toUser, type UserRow } from './user-row.ts'
import type { UsersContext } from './users-context.ts'

/** So long an address stays known after a sign-in from it. */
export const KNOWN_ADDRESS_SECONDS = 90 * 86_400

/**
 * The last step, after all that was asked for was right. Only now is the address known: whoever has
 * the password alone does not make it so.
 */
export async function completeSignIn(
  { pool, nowMs, addressKeyOf }: Pick<UsersContext, 'pool' | 'nowMs' | 'addressKeyOf'>,
  row: UserRow,
  address: string,
  amr: readonly string[],
): Promise<SignIn> {
  const user = toUser(row)
  if (user.mustChangePassword) return { kind: 'password-change', user }
  // Hashing takes its time: the user may have been disabled, or the password changed, meanwhile.
  const { rowCount } = await pool.query(
    `INSERT INTO identity_known_address (user_id, address, expires_ms)
     SELECT u.id, $2, $3 FROM identity_user u
      WHERE u.id = $1 AND NOT u.disabled AND u.sealed_password IS NOT DISTINCT FROM $4
     ON CONFLICT (user_id, address) DO UPDATE SET expires_ms = excluded.expires_ms`,
    [row.id, addressKeyOf(address), nowMs() + KNOWN_ADDRESS_SECONDS * 1000, row.sealed_password],
  )
  if (rowCount === 0) return { kind: 'refused' }
  return { kind: 'done', user, amr }
}
