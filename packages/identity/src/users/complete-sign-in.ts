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
  await pool.query(
    `INSERT INTO identity_known_address (user_id, address, expires_ms) VALUES ($1, $2, $3)
     ON CONFLICT (user_id, address) DO UPDATE SET expires_ms = excluded.expires_ms`,
    [row.id, addressKeyOf(address), nowMs() + KNOWN_ADDRESS_SECONDS * 1000],
  )
  return { kind: 'done', user, amr }
}
