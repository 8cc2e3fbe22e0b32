import type { Sealer } from '@scopegate/secrets'
import type { Pool } from 'pg'
import { ATTEMPT_LIMITS, type AttemptLimits, createAttempts } from './attempts/create-attempts.ts'
import { knownAddressKey } from './attempts/known-address.ts'
import { MIN_PASSWORD_CHARACTERS } from './passwords/check-password.ts'
import { createPasswordHasher, type PasswordHasher } from './passwords/create-password-hasher.ts'
import { createAdministration } from './users/administration.ts'
import { createLinkUpstream } from './users/link-upstream.ts'
import { createPasswordChanges } from './users/password-changes.ts'
import { createSecondFactorSetup } from './users/second-factor-setup.ts'
import { createSignInSteps } from './users/sign-in-steps.ts'
import type { UsersContext } from './users/users-context.ts'
import type { Users } from './users.ts'

export interface UsersDeps {
  readonly pool: Pool
  /** Keeps password hashes and TOTP secrets useless to whoever has the database only. */
  readonly sealer: Sealer
  readonly nowMs: () => number
  /** 32 bytes, the same in every process: keys the hashes of addresses and tried names. */
  readonly addressKey: Uint8Array
  /** What authenticator apps show; default `Scopegate`. */
  readonly totpIssuer?: string
  readonly minPasswordCharacters?: number
  /** Words that make a password easy to guess here, such as the organisation's name. */
  readonly contextWords?: readonly string[]
  readonly attemptLimits?: Partial<AttemptLimits>
  readonly hasher?: PasswordHasher
}

/** Users in the database. Sessions are not made here: see `createSessions`. */
export function createUsers(deps: UsersDeps): Users {
  const { pool, sealer, nowMs, addressKey } = deps
  const context: UsersContext = {
    pool,
    sealer,
    nowMs,
    hasher: deps.hasher ?? createPasswordHasher(),
    attempts: createAttempts({
      pool,
      nowMs,
      key: addressKey,
      limits: { ...ATTEMPT_LIMITS, ...deps.attemptLimits },
    }),
    minPasswordCharacters: deps.minPasswordCharacters ?? MIN_PASSWORD_CHARACTERS,
    contextWords: ['scopegate', ...(deps.contextWords ?? [])],
    totpIssuer: deps.totpIssuer ?? 'Scopegate',
    addressKeyOf: knownAddressKey(addressKey),
  }
  return {
    ...createSignInSteps(context),
    ...createPasswordChanges(context),
    ...createAdministration(context),
    ...createSecondFactorSetup(context),
    linkUpstream: createLinkUpstream(context),
  }
}
