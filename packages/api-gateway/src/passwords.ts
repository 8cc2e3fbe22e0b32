import { hash, randomBytes } from 'node:crypto'
import { type ApiCheck, failedApi } from '@scopegate/checks'

/** A user whose password was found good. */
export interface PasswordUser {
  readonly id: string
  readonly username: string
  readonly roles: readonly string[]
}

export type PasswordAnswer =
  | { readonly kind: 'done'; readonly user: PasswordUser }
  | { readonly kind: 'second-factor' | 'password-change' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'wait'; readonly retryAfterSeconds: number }

/** Who keeps users and slows down guessing, as `identity` does. */
export interface PasswordDirectory {
  authenticate(attempt: {
    readonly username: string
    readonly password: string
    readonly address: string
  }): Promise<PasswordAnswer>
}

export type PasswordVerdict =
  | { readonly ok: true; readonly user: PasswordUser }
  | { readonly ok: false; readonly check: ApiCheck; readonly retryAfterSeconds?: number }

export interface Passwords {
  /** @param credentials what follows `Basic`; @param address where the request comes from */
  check(credentials: string, address: string): Promise<PasswordVerdict>
}

/** How long a good password is not asked about again: how late its end may be noticed. */
const REMEMBERED_MS = 30_000
const MAX_REMEMBERED = 1000

/**
 * Checks HTTP Basic credentials. Passwords are slow to verify by design, so a good one is remembered
 * for half a minute: as a hash under a key of this process, never itself.
 * @see RFC 7617
 */
export function createPasswords(directory: PasswordDirectory, nowMs: () => number): Passwords {
  const key = randomBytes(32).toString('base64url')
  const remembered = new Map<string, { readonly user: PasswordUser; readonly untilMs: number }>()

  return {
    async check(credentials, address) {
      const pair = readPair(credentials)
      if (pair === undefined) return { ok: false, check: failedApi('basic_malformed') }
      const known = hash('sha256', `${key} ${credentials}`, 'base64url')
      const found = remembered.get(known)
      if (found !== undefined) {
        if (found.untilMs > nowMs()) return { ok: true, user: found.user }
        remembered.delete(known)
      }
      const answer = await directory.authenticate({ ...pair, address })
      if (answer.kind === 'done') {
        if (remembered.size >= MAX_REMEMBERED) {
          remembered.delete(remembered.keys().next().value ?? '')
        }
        remembered.set(known, { user: answer.user, untilMs: nowMs() + REMEMBERED_MS })
        return { ok: true, user: answer.user }
      }
      if (answer.kind === 'wait') {
        const { retryAfterSeconds } = answer
        return { ok: false, check: failedApi('password_wait'), retryAfterSeconds }
      }
      const code = answer.kind === 'refused' ? 'password_wrong' : 'password_second_factor'
      return { ok: false, check: failedApi(code) }
    },
  }
}

function readPair(credentials: string) {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(credentials) || credentials.length > 8192) return undefined
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(credentials, 'base64'))
  } catch {
    return undefined
  }
  const colon = text.indexOf(':')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 7617 §2 refuses them
  if (colon < 1 || /[\x00-\x1f\x7f]/.test(text)) return undefined
  return { username: text.slice(0, colon), password: text.slice(colon + 1) }
}
