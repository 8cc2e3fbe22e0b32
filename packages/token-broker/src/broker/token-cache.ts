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

/**
 * Use is counted, not kept as an order: a Map whose keys move at every call is far slower. So the
 * tenth that was not used for longest goes at once.
 */
export function createTokenCache(maxEntries: number): TokenCache {
  const kept = new Map<string, { readonly entry: CacheEntry; usedAt: number }>()
  let uses = 0

  function dropOldest(): void {
    const oldest = [...kept].sort(([, a], [, b]) => a.usedAt - b.usedAt)
    for (const [key] of oldest.slice(0, Math.ceil(maxEntries / 10))) kept.delete(key)
  }

  return {
    find(key) {
      const found = kept.get(key)
      if (found === undefined) return undefined
      uses += 1
      found.usedAt = uses
      return found.entry
    },
    add(key, entry) {
      if (kept.size >= maxEntries) dropOldest()
      uses += 1
      kept.set(key, { entry, usedAt: uses })
    },
    *entries() {
      for (const { entry } of kept.values()) yield entry
    },
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
