import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import type { Pool } from 'pg'
import { knownAddressKey } from '../attempts/known-address.ts'
import { completeSignIn } from '../users/complete-sign-in.ts'
import { NO_SUCH_USER } from '../users/password-changes.ts'
import { storeRecoveryCodes } from '../users/second-factor-setup.ts'
import { toUser } from '../users/user-row.ts'
import { readUserRow } from '../users/users-context.ts'
import { consumeChallenge, issueChallenge } from './challenges.ts'
import type { Passkey, Passkeys } from './passkeys.ts'
import type { RelyingParty } from './relying-party.ts'

export interface PasskeysDeps {
  readonly pool: Pool
  readonly nowMs: () => number
  /** As given to `createUsers`. */
  readonly addressKey: Uint8Array
  readonly relyingParty: RelyingParty
}

interface PasskeyRow {
  readonly id: string
  readonly user_id: string
  readonly name: string
  readonly public_key: Buffer
  readonly counter: number
  readonly transports: string[]
  readonly created_ms: number
  readonly last_used_ms: number | null
}

const MAX_PER_USER = 20
const REFUSED = { kind: 'refused' } as const

/** Passkeys in the database, judged by @simplewebauthn/server. */
export function createPasskeys({ pool, nowMs, addressKey, relyingParty }: PasskeysDeps): Passkeys {
  const { id: rpID, name: rpName, origin: expectedOrigin } = relyingParty
  const context = { pool, nowMs, addressKeyOf: knownAddressKey(addressKey) }

  const rowsOf = async (userId: string) => {
    const { rows } = await pool.query<PasskeyRow>(
      'SELECT * FROM identity_passkey WHERE user_id = $1 ORDER BY created_ms, id',
      [userId],
    )
    return rows
  }
  const known = (rows: readonly PasskeyRow[]) =>
    rows.map(({ id, transports }) => ({ id, transports }))

  return {
    async beginRegistration(userId) {
      const row = await readUserRow(context, userId)
      if (row === undefined || row.disabled) return NO_SUCH_USER
      const passkeys = await rowsOf(userId)
      if (passkeys.length >= MAX_PER_USER) {
        return {
          ok: false,
          status: 409,
          why: `there are ${MAX_PER_USER} passkeys already`,
          fix: 'remove one',
        }
      }
      const options = await generateRegistrationOptions({
        rpID,
        rpName,
        userName: row.username,
        userDisplayName: row.name,
        userID: new Uint8Array(Buffer.from(userId)),
        challenge: await issueChallenge(pool, { purpose: 'register', userId }, nowMs()),
        excludeCredentials: known(passkeys),
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
      })
      return { ok: true, options }
    },

    async finishRegistration({ userId, name, response }) {
      const bound = { purpose: 'register', userId } as const
      const expectedChallenge = await consumeChallenge(pool, response, bound, nowMs())
      const verified =
        expectedChallenge === undefined
          ? undefined
          : await judged(
              verifyRegistrationResponse({
                response: response as RegistrationResponseJSON,
                expectedChallenge,
                expectedOrigin,
                expectedRPID: rpID,
                requireUserVerification: false,
              }),
            )
      if (!verified?.verified) {
        return { ok: false, status: 400, why: 'the passkey could not be made', fix: 'try again' }
      }
      const before = await readUserRow(context, userId)
      if (before === undefined) return NO_SUCH_USER
      const { credential } = verified.registrationInfo
      const label =
        name
          .trim()
          .slice(0, 100)
          .replaceAll(/\p{Cc}/gu, ' ') || 'Passkey'
      const { rows } = await pool.query<PasskeyRow>(
        `INSERT INTO identity_passkey (id, user_id, name, public_key, counter, transports, created_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING RETURNING *`,
        [
          credential.id,
          userId,
          label,
          Buffer.from(credential.publicKey),
          credential.counter,
          credential.transports ?? [],
          nowMs(),
        ],
      )
      const [row] = rows
      if (row === undefined) {
        return { ok: false, status: 409, why: 'this passkey is registered already' }
      }
      const isFirst = toUser(before).secondFactors.length === 0
      return {
        ok: true,
        passkey: toPasskey(row),
        ...(isFirst && { recoveryCodes: await storeRecoveryCodes(pool, userId) }),
      }
    },

    async beginSignIn({ userId } = {}) {
      const challenge = await issueChallenge(pool, { purpose: 'sign-in', userId }, nowMs())
      if (userId === undefined) {
        return generateAuthenticationOptions({ rpID, challenge, userVerification: 'required' })
      }
      return generateAuthenticationOptions({
        rpID,
        challenge,
        allowCredentials: known(await rowsOf(userId)),
        userVerification: 'preferred',
      })
    },

    async finishSignIn({ userId, response, address }) {
      const bound = { purpose: 'sign-in', userId } as const
      const expectedChallenge = await consumeChallenge(pool, response, bound, nowMs())
      if (expectedChallenge === undefined) return REFUSED
      const { rows } = await pool.query<PasskeyRow>(
        'SELECT * FROM identity_passkey WHERE id = $1',
        [idOf(response)],
      )
      const [row] = rows
      if (row === undefined || (userId !== undefined && row.user_id !== userId)) return REFUSED
      const user = await readUserRow(context, row.user_id)
      if (user === undefined || user.disabled) return REFUSED

      const verified = await judged(
        verifyAuthenticationResponse({
          response: response as AuthenticationResponseJSON,
          expectedChallenge,
          expectedOrigin,
          expectedRPID: rpID,
          credential: {
            id: row.id,
            publicKey: new Uint8Array(row.public_key),
            counter: row.counter,
          },
          // Alone it stands for knowledge too: the device must have asked for PIN or finger.
          requireUserVerification: userId === undefined,
        }),
      )
      if (!verified?.verified) return REFUSED
      const { newCounter, credentialDeviceType } = verified.authenticationInfo
      // INVARIANT: a counter never goes back: of two copies of a key one is refused.
      const { rowCount } = await pool.query(
        `UPDATE identity_passkey SET counter = $2, last_used_ms = $3
          WHERE id = $1 AND (counter < $2 OR (counter = 0 AND $2 = 0))`,
        [row.id, newCounter, nowMs()],
      )
      if (rowCount === 0) return REFUSED
      // RFC 8176: a key that stays in its device, or one that is synchronised.
      const key = credentialDeviceType === 'singleDevice' ? 'hwk' : 'swk'
      return completeSignIn(
        context,
        user,
        address,
        userId === undefined ? [key, 'user', 'mfa'] : ['pwd', key, 'mfa'],
      )
    },

    async listOf(userId) {
      return (await rowsOf(userId)).map(toPasskey)
    },

    async remove(userId, passkeyId) {
      const { rowCount } = await pool.query(
        'DELETE FROM identity_passkey WHERE user_id = $1 AND id = $2',
        [userId, passkeyId],
      )
      await pool.query(
        `DELETE FROM identity_recovery_code c WHERE c.user_id = $1
            AND NOT EXISTS (SELECT FROM identity_passkey p WHERE p.user_id = $1)
            AND NOT EXISTS (SELECT FROM identity_totp t WHERE t.user_id = $1 AND t.sealed_secret IS NOT NULL)`,
        [userId],
      )
      return rowCount === 1
    },
  }
}

/** Whatever a browser sent, or somebody in its place, the library throws on it: that is a no. */
async function judged<T>(verdict: Promise<T>): Promise<T | undefined> {
  return verdict.catch(() => undefined)
}

function idOf(response: unknown): string {
  const id = (response as { id?: unknown } | null)?.id
  return typeof id === 'string' && /^[\w-]{1,1400}$/.test(id) ? id : ''
}

function toPasskey(row: PasskeyRow): Passkey {
  return {
    id: row.id,
    name: row.name,
    createdAt: Math.floor(row.created_ms / 1000),
    ...(row.last_used_ms !== null && { lastUsedAt: Math.floor(row.last_used_ms / 1000) }),
  }
}
