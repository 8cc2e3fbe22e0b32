import { createHmac, randomBytes } from 'node:crypto'
import { failed } from '@scopegate/checks'
import type { PasswordAuthentication, PasswordUser, PasswordVerdict } from '@scopegate/oauth-model'
import type { User } from '../user.ts'
import type { Users } from '../users.ts'
import { readBasicCredentials } from './read-basic-credentials.ts'

export interface BasicAuthenticationDeps {
  readonly users: Pick<Users, 'authenticate'>
  readonly nowMs: () => number
  /** How late a changed password, or the end of a user, may be noticed; default 30, at most 60. */
  readonly rememberSeconds?: number
  /** Default 1000. */
  readonly maxRemembered?: number
}

const CODES = {
  refused: 'password_wrong',
  'second-factor': 'password_second_factor',
  'password-change': 'password_to_change',
} as const

/**
 * HTTP Basic for machines and transitions. A password is slow to compare by design, so a good one
 * is remembered for a moment: as a hash under a key of this process, never itself. The same
 * credentials from one address are compared once, however many requests bring them at a time.
 * Failures are counted where those of the sign-in page are, and remembered by nobody.
 *
 * @see RFC 7617
 */
export function createBasicAuthentication(deps: BasicAuthenticationDeps): PasswordAuthentication {
  const { users, nowMs, maxRemembered = 1000 } = deps
  const rememberMs = Math.min(deps.rememberSeconds ?? 30, 60) * 1000
  const key = randomBytes(32)
  const remembered = new Map<string, { readonly user: PasswordUser; readonly untilMs: number }>()
  const running = new Map<string, Promise<PasswordVerdict>>()

  async function compare(
    pair: { readonly username: string; readonly password: string },
    address: string,
    hash: string,
  ): Promise<PasswordVerdict> {
    const answer = await users.authenticate({ ...pair, address })
    if (answer.kind === 'wait') {
      const { retryAfterSeconds } = answer
      return { ok: false, check: failed('password_wait'), retryAfterSeconds }
    }
    if (answer.kind !== 'done') return { ok: false, check: failed(CODES[answer.kind]) }
    const user = passwordUserOf(answer.user)
    // The oldest goes first: a Map keeps the order in which it was filled.
    if (remembered.size >= maxRemembered) remembered.delete(remembered.keys().next().value!)
    remembered.set(hash, { user, untilMs: nowMs() + rememberMs })
    return { ok: true, user }
  }

  return {
    async authenticateBasic(credentials, address) {
      const pair = readBasicCredentials(credentials)
      if (pair === undefined) return { ok: false, check: failed('basic_malformed') }
      const hash = createHmac('sha256', key).update(credentials).digest('base64url')
      const found = remembered.get(hash)
      if (found !== undefined && found.untilMs > nowMs()) return { ok: true, user: found.user }
      remembered.delete(hash)
      const attempt = `${hash} ${address}`
      let verdict = running.get(attempt)
      if (verdict === undefined) {
        verdict = compare(pair, address, hash).finally(() => running.delete(attempt))
        running.set(attempt, verdict)
      }
      return verdict
    },
  }
}

function passwordUserOf({ id, username, fhirUser, roles }: User): PasswordUser {
  return { id, username, roles, ...(fhirUser === undefined ? {} : { fhirUser }) }
}
