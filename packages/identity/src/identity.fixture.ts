import { randomBytes } from 'node:crypto'
import {
  createPasswordHasher,
  createSessions,
  createUsers,
  type NewUser,
  type PasswordHasher,
  type User,
  type UsersDeps,
} from '@scopegate/identity'
import { createSealer } from '@scopegate/secrets'
import type { Storage } from '@scopegate/storage'

/** The least that Argon2 takes: what is tested is that it runs, not what it costs. */
export const FAST = { memoryKib: 32, passes: 1, parallelism: 1 }
export const PASSWORD = 'lamp gravel otter seven'
export const HOME = '192.0.2.7'
export const IDLE_SECONDS = 1800
export const ABSOLUTE_SECONDS = 43_200

const SEALER = createSealer([{ id: 'test-key', key: randomBytes(32) }])
const ADDRESS_KEY = randomBytes(32)

export interface Clock {
  ms: number
}

/** Counts how often a password is hashed or compared. */
export function countingHasher(
  parameters = FAST,
): PasswordHasher & { compared: number; hashed: number } {
  const hasher = createPasswordHasher({ parameters })
  return {
    compared: 0,
    hashed: 0,
    verify(password, phc) {
      this.compared++
      return hasher.verify(password, phc)
    },
    hash(password) {
      this.hashed++
      return hasher.hash(password)
    },
  }
}

/** Users and sessions on a database; several of them on one database are several processes. */
export function identityOn(
  { pool }: Pick<Storage, 'pool'>,
  clock: Clock,
  more: Partial<UsersDeps> = {},
) {
  const hasher = countingHasher()
  const nowMs = () => clock.ms
  const users = createUsers({
    pool,
    sealer: SEALER,
    nowMs,
    addressKey: ADDRESS_KEY,
    hasher,
    ...more,
  })
  const sessions = createSessions({
    pool,
    nowMs,
    idleSeconds: IDLE_SECONDS,
    absoluteSeconds: ABSOLUTE_SECONDS,
  })
  return {
    users,
    sessions,
    hasher,
    signIn: (username: string, password = PASSWORD, address = HOME) =>
      users.authenticate({ username, password, address }),
    async add(user: NewUser & { password?: string | null }): Promise<User> {
      const added = await users.add({ password: PASSWORD, ...user })
      if (!added.ok) throw new Error(added.why)
      return added.user
    },
  }
}

export type Identity = ReturnType<typeof identityOn>

/** An authenticator app: set up, confirmed, and where its codes come from. */
export async function addTotp({ users }: Identity, userId: string, nowMs: number) {
  const { Secret, TOTP } = await import('otpauth')
  const begun = await users.beginTotp(userId)
  if (!begun.ok) throw new Error(begun.why)
  const totp = new TOTP({ secret: Secret.fromBase32(begun.secret) })
  const codeAt = (atMs: number) => totp.generate({ timestamp: atMs })
  const confirmed = await users.confirmTotp(userId, codeAt(nowMs))
  if (!confirmed.ok) throw new Error(confirmed.why)
  return { ...begun, codeAt, recoveryCodes: confirmed.recoveryCodes }
}
