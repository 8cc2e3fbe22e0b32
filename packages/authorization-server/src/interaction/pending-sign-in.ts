import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Sealer } from '@scopegate/secrets'
import { type Browser, type CookiePolicy, readCookie, setCookie } from '../pages/browser.ts'

/** A right password, when more is needed than that. */
export interface PendingSignIn {
  readonly userId: string
  readonly next: 'second-factor' | 'password-change'
  /** What was shown so far. @see RFC 8176 */
  readonly amr: readonly string[]
}

/** Time to find the phone. */
const PENDING_SECONDS = 600
const CONTEXT = 'pending-sign-in'

interface Sealed extends PendingSignIn {
  readonly browser: string
  /** Epoch seconds. */
  readonly until: number
}

/** Between two steps of a sign-in: sealed in a cookie that is of no use to another browser. */
export interface PendingSignIns {
  read(request: IncomingMessage, browser: Browser): PendingSignIn | undefined
  write(response: ServerResponse, browser: Browser, pending: PendingSignIn): void
  clear(response: ServerResponse): void
}

export function createPendingSignIns(deps: {
  readonly sealer: Sealer
  readonly cookies: CookiePolicy
  readonly nowMs: () => number
}): PendingSignIns {
  const { sealer, cookies } = deps
  const name = cookies.secure ? '__Host-scopegate_pending' : 'scopegate_pending'
  const now = () => Math.floor(deps.nowMs() / 1000)
  return {
    read(request, browser) {
      const value = readCookie(request, name)
      if (value === undefined || value === '') return undefined
      try {
        const pending = JSON.parse(sealer.unseal(value, CONTEXT).toString('utf8')) as Sealed
        return pending.browser === browser.id && pending.until > now() ? pending : undefined
      } catch {
        return undefined
      }
    },
    write(response, browser, pending) {
      const sealed: Sealed = { ...pending, browser: browser.id, until: now() + PENDING_SECONDS }
      const value = sealer.seal(JSON.stringify(sealed), CONTEXT)
      setCookie(response, name, value, cookies, PENDING_SECONDS)
    },
    clear: (response) => setCookie(response, name, undefined, cookies),
  }
}
