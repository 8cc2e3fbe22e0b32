import type { Pool } from 'pg'
import { hashRecoveryCode, issueRecoveryCodes } from '../second-factors/recovery-codes.ts'
import { findTotpStep, issueTotpSecret, totpUri } from '../second-factors/totp.ts'
import type { Users } from '../users.ts'
import { NO_SUCH_USER } from './password-changes.ts'
import { toUser } from './user-row.ts'
import { readUserRow, totpPlace, type UsersContext } from './users-context.ts'

type SecondFactorSetup = Pick<
  Users,
  'beginTotp' | 'confirmTotp' | 'renewRecoveryCodes' | 'removeSecondFactors'
>

/** How a user comes to a second factor, and an operator takes it off again. */
export function createSecondFactorSetup(context: UsersContext): SecondFactorSetup {
  const { pool, sealer, nowMs } = context

  return {
    async beginTotp(userId) {
      const row = await readUserRow(context, userId)
      if (row === undefined) return NO_SUCH_USER
      const secret = issueTotpSecret()
      await pool.query(
        `INSERT INTO identity_totp (user_id, pending_secret, created_ms) VALUES ($1, $2, $3)
         ON CONFLICT (user_id) DO UPDATE SET pending_secret = excluded.pending_secret`,
        [userId, sealer.seal(secret, totpPlace(userId)), nowMs()],
      )
      const uri = totpUri(secret, { issuer: context.totpIssuer, label: row.username })
      return { ok: true, secret, uri }
    },

    async confirmTotp(userId, code) {
      const { rows } = await pool.query<{ pending_secret: string }>(
        'SELECT pending_secret FROM identity_totp WHERE user_id = $1 AND pending_secret IS NOT NULL',
        [userId],
      )
      const pending = rows[0]?.pending_secret
      if (pending === undefined) {
        return {
          ok: false,
          status: 409,
          why: 'no authenticator app is being set up',
          fix: 'start again',
        }
      }
      const secret = sealer.unseal(pending, totpPlace(userId)).toString()
      const step = findTotpStep(secret, code, nowMs())
      if (step === undefined) {
        return {
          ok: false,
          status: 400,
          why: 'the code is not the one the app shows now',
          fix: 'type the newest code; if it is refused again, check the clock of the phone',
        }
      }
      const { rowCount } = await pool.query(
        `UPDATE identity_totp
            SET sealed_secret = pending_secret, pending_secret = NULL, last_step = $3, created_ms = $4
          WHERE user_id = $1 AND pending_secret = $2`,
        [userId, pending, step, nowMs()],
      )
      if (rowCount === 0) {
        return {
          ok: false,
          status: 409,
          why: 'the app was set up once more meanwhile',
          fix: 'start again',
        }
      }
      return { ok: true, recoveryCodes: await storeRecoveryCodes(pool, userId) }
    },

    async renewRecoveryCodes(userId) {
      const row = await readUserRow(context, userId)
      if (row === undefined) return NO_SUCH_USER
      if (toUser(row).secondFactors.length === 0) {
        return { ok: false, status: 409, why: 'there is no second factor to recover' }
      }
      return { ok: true, recoveryCodes: await storeRecoveryCodes(pool, userId) }
    },

    async removeSecondFactors(userId) {
      await pool.query(
        `WITH totp AS (DELETE FROM identity_totp WHERE user_id = $1),
              passkeys AS (DELETE FROM identity_passkey WHERE user_id = $1),
              sessions AS (DELETE FROM identity_session WHERE user_id = $1)
         DELETE FROM identity_recovery_code WHERE user_id = $1`,
        [userId],
      )
      const row = await readUserRow(context, userId)
      return row === undefined ? NO_SUCH_USER : { ok: true, user: toUser(row) }
    },
  }
}

/** New codes in place of all former ones. */
export async function storeRecoveryCodes(pool: Pool, userId: string): Promise<readonly string[]> {
  const codes = issueRecoveryCodes()
  await pool.query(
    `WITH former AS (DELETE FROM identity_recovery_code WHERE user_id = $1)
     INSERT INTO identity_recovery_code (user_id, hash) SELECT $1, unnest($2::bytea[])`,
    [userId, codes.map((code) => hashRecoveryCode(userId, code))],
  )
  return codes
}
