import type { Charge } from '../attempts/create-attempts.ts'
import { ONE_TIME_PASSWORD_SECONDS } from '../passwords/issue-one-time-password.ts'
import { normalizePassword } from '../passwords/normalize-password.ts'
import { hashRecoveryCode } from '../second-factors/recovery-codes.ts'
import { findTotpStep } from '../second-factors/totp.ts'
import type { SignIn } from '../sign-in.ts'
import { parseUsername } from '../username.ts'
import type { FactorAttempt, Users } from '../users.ts'
import { completeSignIn } from './complete-sign-in.ts'
import { toUser, USER_COLUMNS, type UserRow } from './user-row.ts'
import { passwordPlace, totpPlace, type UsersContext } from './users-context.ts'

type Steps = Pick<Users, 'authenticate' | 'verifyTotp' | 'verifyRecoveryCode'>

/** A full queue empties in about so long. */
const BUSY: SignIn = { kind: 'wait', retryAfterSeconds: 2 }
const REFUSED: SignIn = { kind: 'refused' }

/** Password, then second factor, then, if it was a one-time password, one of the user's own. */
export function createSignInSteps(context: UsersContext): Steps {
  const { pool, sealer, hasher, attempts, nowMs } = context

  return {
    async authenticate({ username, password, address }) {
      const parsed = parseUsername(username)
      // A name that nobody can have takes the same way as one that nobody has.
      const account = parsed.ok ? parsed.key : ` ${JSON.stringify(username.slice(0, 400))}`
      const row = await findForSignIn('u.username_key = $1', account, address)
      const sealed = row?.sealed_password ?? undefined
      const stored =
        row === undefined || sealed === undefined
          ? undefined
          : sealer.unseal(sealed, passwordPlace(row.id)).toString()
      const charged = await attempts.charge({
        of: 'password',
        account,
        address,
        isKnownAddress: row?.known_address === true,
      })
      if (charged.kind === 'wait') return charged
      const { charge } = charged

      const normal = normalizePassword(password)
      const verdict = await hasher
        .verify(normal ?? '', normal === undefined ? undefined : stored)
        .catch(refundAndThrow(charge))
      if (verdict === 'busy') {
        await charge.refund()
        return BUSY
      }
      if (!verdict.ok || row === undefined || row.disabled || isOverAt(nowMs(), row)) return REFUSED

      await charge.clear()
      const current = verdict.outdated ? await rehash(row, normal as string) : row
      const user = toUser(current)
      if (user.secondFactors.length > 0) return { kind: 'second-factor', user }
      return completeSignIn(context, current, address, ['pwd'])
    },

    verifyTotp: (attempt) =>
      judgeFactor(attempt, async (row) => {
        const { rows } = await pool.query<{ sealed_secret: string }>(
          'SELECT sealed_secret FROM identity_totp WHERE user_id = $1 AND sealed_secret IS NOT NULL',
          [row.id],
        )
        const sealed = rows[0]?.sealed_secret
        if (sealed === undefined) return undefined
        const secret = sealer.unseal(sealed, totpPlace(row.id)).toString()
        const step = findTotpStep(secret, attempt.code, nowMs())
        if (step === undefined) return undefined
        // INVARIANT: one statement: of parallel uses of a code exactly one changes the row.
        const { rowCount } = await pool.query(
          'UPDATE identity_totp SET last_step = $2 WHERE user_id = $1 AND last_step < $2 AND sealed_secret = $3',
          [row.id, step, sealed],
        )
        return rowCount === 1 ? ['pwd', 'otp', 'mfa'] : undefined
      }),

    verifyRecoveryCode: (attempt) =>
      judgeFactor(attempt, async (row) => {
        const { rowCount } = await pool.query(
          'DELETE FROM identity_recovery_code WHERE user_id = $1 AND hash = $2',
          [row.id, hashRecoveryCode(row.id, attempt.code)],
        )
        return rowCount === 1 ? ['pwd', 'mfa'] : undefined
      }),
  }

  /** Counts the attempt, judges it, and goes on when it was right. */
  async function judgeFactor(
    { userId, address }: FactorAttempt,
    judge: (row: UserRow) => Promise<readonly string[] | undefined>,
  ): Promise<SignIn> {
    const row = await findForSignIn('u.id = $1', userId, address)
    const charged = await attempts.charge({
      of: 'factor',
      account: userId,
      address,
      isKnownAddress: row?.known_address === true,
    })
    if (charged.kind === 'wait') return charged
    const { charge } = charged
    if (row === undefined || row.disabled) return REFUSED
    const amr = await judge(row).catch(refundAndThrow(charge))
    if (amr === undefined) return REFUSED
    await charge.clear()
    return completeSignIn(context, row, address, amr)
  }

  async function findForSignIn(condition: string, value: string, address: string) {
    const { rows } = await pool.query<UserRow & { known_address: boolean }>(
      `SELECT ${USER_COLUMNS}, EXISTS (
                SELECT FROM identity_known_address k
                 WHERE k.user_id = u.id AND k.address = $2 AND k.expires_ms > $3
              ) AS known_address
         FROM identity_user u WHERE ${condition}`,
      [value, context.addressKeyOf(address), nowMs()],
    )
    return rows[0]
  }

  /** When the parameters were raised; a busy moment leaves it to the next sign-in. */
  async function rehash(row: UserRow, password: string): Promise<UserRow> {
    const phc = await hasher.hash(password)
    if (phc === 'busy') return row
    const renewed = sealer.seal(phc, passwordPlace(row.id))
    const { rowCount } = await pool.query(
      'UPDATE identity_user SET sealed_password = $3 WHERE id = $1 AND sealed_password = $2',
      [row.id, row.sealed_password, renewed],
    )
    return rowCount === 0 ? row : { ...row, sealed_password: renewed }
  }
}

/** A one-time password that nobody used. */
function isOverAt(nowMs: number, row: UserRow): boolean {
  const setMs = row.password_set_ms ?? 0
  return row.must_change_password && nowMs - setMs > ONE_TIME_PASSWORD_SECONDS * 1000
}

/** What was not judged is not counted. */
function refundAndThrow(charge: Charge) {
  return async (error: unknown): Promise<never> => {
    await charge.refund()
    throw error
  }
}
