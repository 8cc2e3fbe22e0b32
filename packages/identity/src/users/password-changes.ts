import { checkPassword } from '../passwords/check-password.ts'
import { issueOneTimePassword } from '../passwords/issue-one-time-password.ts'
import { normalizePassword } from '../passwords/normalize-password.ts'
import type { PasswordChange, Users } from '../users.ts'
import { toUser, type UserRow } from './user-row.ts'
import { passwordPlace, readUserRow, type UsersContext } from './users-context.ts'

type PasswordChanges = Pick<Users, 'chooseFirstPassword' | 'changePassword' | 'setPassword'>

const BUSY_SECONDS = 2
export const NO_SUCH_USER = { ok: false, status: 404, why: 'there is no such user' } as const

/** A password that may be stored, sealed; or why not. */
export type PreparedPassword =
  | { readonly kind: 'sealed'; readonly sealed: string; readonly oneTimePassword?: string }
  | Extract<PasswordChange, { kind: 'unfit' }>
  | { readonly kind: 'busy' }

/** Judges and hashes a new password, or makes one when there is none. */
export async function preparePassword(
  { hasher, sealer, minPasswordCharacters, contextWords }: UsersContext,
  user: {
    readonly id: string
    readonly username: string
    readonly name: string
    readonly email?: string | null
  },
  password: string | undefined,
): Promise<PreparedPassword> {
  // One that is made here needs no judging: it has its 99 bits.
  const oneTimePassword = password === undefined ? issueOneTimePassword() : undefined
  const checked =
    password === undefined
      ? ({ ok: true, password: oneTimePassword as string } as const)
      : checkPassword(password, {
          minCharacters: minPasswordCharacters,
          words: [...contextWords, user.username, user.name, ...(user.email ? [user.email] : [])],
        })
  if (!checked.ok) {
    const { reason, why, fix } = checked
    return { kind: 'unfit', reason, why, fix }
  }
  const phc = await hasher.hash(checked.password)
  if (phc === 'busy') return { kind: 'busy' }
  const sealed = sealer.seal(phc, passwordPlace(user.id))
  return { kind: 'sealed', sealed, ...(oneTimePassword !== undefined && { oneTimePassword }) }
}

/** Every way to another password. Each ends all sessions in the statement that stores it. */
export function createPasswordChanges(context: UsersContext): PasswordChanges {
  const { pool, hasher, sealer, attempts, nowMs } = context

  return {
    async chooseFirstPassword({ userId, password }) {
      const row = await readUserRow(context, userId)
      if (row === undefined || row.disabled || !row.must_change_password) return { kind: 'refused' }
      return replace(row, password)
    },

    async changePassword({ userId, former, password, address }) {
      const row = await readUserRow(context, userId)
      if (row === undefined || row.disabled || row.sealed_password === null) {
        return { kind: 'refused' }
      }
      // Whoever has the cookie may guess no faster than whoever has not.
      const charged = await attempts.charge({
        of: 'password',
        account: `${userId} change`,
        address,
        isKnownAddress: true,
      })
      if (charged.kind === 'wait') return charged
      const stored = sealer.unseal(row.sealed_password, passwordPlace(row.id)).toString()
      const verdict = await hasher.verify(normalizePassword(former) ?? '', stored)
      if (verdict === 'busy') {
        await charged.charge.refund()
        return { kind: 'wait', retryAfterSeconds: BUSY_SECONDS }
      }
      if (!verdict.ok) return { kind: 'refused' }
      await charged.charge.clear()
      return replace(row, password)
    },

    async setPassword(id, { password, mustChange = password === undefined } = {}) {
      const row = await readUserRow(context, id)
      if (row === undefined) return NO_SUCH_USER
      const prepared = await preparePassword(context, row, password)
      if (prepared.kind !== 'sealed') return refusalOf(prepared)
      const { sealed, oneTimePassword } = prepared
      if (!(await store(row, sealed, mustChange))) return NO_SUCH_USER
      const user = toUser({ ...row, sealed_password: sealed, must_change_password: mustChange })
      return { ok: true, user, ...(oneTimePassword !== undefined && { oneTimePassword }) }
    },
  }

  /** By the user: not the same once more. */
  async function replace(row: UserRow, password: string): Promise<PasswordChange> {
    const prepared = await preparePassword(context, row, password)
    if (prepared.kind === 'unfit') return prepared
    const same =
      row.sealed_password === null
        ? { ok: false }
        : await hasher.verify(
            normalizePassword(password) ?? '',
            sealer.unseal(row.sealed_password, passwordPlace(row.id)).toString(),
          )
    if (prepared.kind === 'busy' || same === 'busy') {
      return { kind: 'wait', retryAfterSeconds: BUSY_SECONDS }
    }
    if (same.ok) {
      return {
        kind: 'unfit',
        reason: 'same',
        why: 'the new password is the one you have',
        fix: 'choose another one',
      }
    }
    if (!(await store(row, prepared.sealed, false, row.sealed_password))) return { kind: 'refused' }
    return {
      kind: 'done',
      user: toUser({ ...row, sealed_password: prepared.sealed, must_change_password: false }),
    }
  }

  /** @param former when given, it must still be the stored one: of two changes at once one is made. */
  async function store(
    row: UserRow,
    sealed: string,
    mustChange: boolean,
    former?: string | null,
  ): Promise<boolean> {
    const { rowCount } = await pool.query(
      `WITH changed AS (
         UPDATE identity_user
            SET sealed_password = $2, must_change_password = $3, password_set_ms = $4, updated_ms = $4
          WHERE id = $1 AND (NOT $5 OR sealed_password IS NOT DISTINCT FROM $6)
          RETURNING id
       ), ended AS (
         DELETE FROM identity_session WHERE user_id IN (SELECT id FROM changed)
       )
       SELECT FROM changed`,
      [row.id, sealed, mustChange, nowMs(), former !== undefined, former ?? null],
    )
    return rowCount === 1
  }
}

/** For operators. */
export function refusalOf(prepared: Exclude<PreparedPassword, { kind: 'sealed' }>) {
  return prepared.kind === 'unfit'
    ? ({ ok: false, status: 400, why: prepared.why, fix: prepared.fix } as const)
    : ({
        ok: false,
        status: 503,
        why: 'too many passwords are being judged at the moment',
        fix: 'try again in a few seconds',
      } as const)
}
