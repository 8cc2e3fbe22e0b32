import type { ConnectionToken } from '@scopegate/oauth-model'
import type { TokenTarget } from '../token-request.ts'
import type { FailedRenewal, RenewalOutcome } from './renew-token.ts'
import type { TokenKeys } from './token-keys.ts'
import { phaseAt, type TokenPhase, type TokenWindows } from './windows.ts'

/** What one process knows of one token. */
export interface CacheEntry {
  readonly target: TokenTarget
  readonly keys: TokenKeys
  readonly leaseMs: number
  token?: LiveToken
  /** Tokens up to this fence are not wanted any more. */
  sinceFence: number
  /** The same for those that were got while the store was away. */
  sinceLocalFence: number
  /** The last attempt, if it failed. */
  failed?: FailedAttempt
  flight?: Promise<RenewalOutcome>
  /** When a resource refused a token of this entry, by the steady clock. */
  rejectedMs: readonly number[]
  /** The last one ended because a resource refused it. */
  wasRejected: boolean
}

export interface LiveToken {
  readonly handle: ConnectionToken
  readonly fence: number
  readonly isLocal: boolean
  /** When its life began, by the steady clock. */
  readonly bornMs: number
  readonly windows: TokenWindows
  readonly fetchedAt: number
}

export interface FailedAttempt {
  readonly outcome: FailedRenewal
  /** Until the next attempt, by the steady clock; `Infinity`: not by itself. */
  readonly untilMs: number
  /** Until then what others may have changed is not looked for. */
  readonly recheckMs: number
  /** Epoch seconds. */
  readonly at: number
}

/** The tokens of one process: bounded, those not used for longest go first. */
export interface TokenCache {
  find(key: string): CacheEntry | undefined
  add(key: string, entry: CacheEntry): void
  entries(): Iterable<CacheEntry>
}

export function createTokenCache(maxEntries: number): TokenCache {
  const entries = new Map<string, CacheEntry>()
  return {
    find(key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entries.delete(key)
      entries.set(key, entry)
      return entry
    },
    add(key, entry) {
      entries.set(key, entry)
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries) return
        entries.delete(oldest)
      }
    },
    entries: () => entries.values(),
  }
}

export function phaseOf({ token }: CacheEntry, steadyMs: number): TokenPhase {
  return token === undefined ? 'expired' : phaseAt(token.windows, steadyMs - token.bornMs)
}

/** Of the token's life; 0 without one. */
export function leftMsOf({ token }: CacheEntry, steadyMs: number): number {
  return token === undefined ? 0 : Math.max(0, token.bornMs + token.windows.lifeMs - steadyMs)
}

/** Nothing new is to be expected of another attempt now. */
export function isHeldBack({ failed }: CacheEntry, steadyMs: number): boolean {
  return failed !== undefined && steadyMs < Math.min(failed.untilMs, failed.recheckMs)
}
