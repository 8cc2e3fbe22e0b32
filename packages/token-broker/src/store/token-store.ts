import type { TokenFailure } from '@scopegate/oauth-model'
import type { DpopKey } from '../token-request.ts'

/**
 * What all processes of a broker share: tokens, refresh tokens, who is fetching, and what not to ask
 * before when. Every method is atomic; times are durations by the store's own clock, so that the
 * clocks of processes need not agree.
 */
export interface TokenStore {
  /** What is known of a token and of what keeps from fetching it. */
  look(tokenKey: string, gateKeys: readonly string[]): Promise<Known>
  /**
   * Takes the lease if nobody has it, for so long. Each lease has a higher fence number than all
   * before it.
   *
   * @param lease.stuckFence is taken over although it seems to last: whoever asks has watched it for
   *   longer than it can (the clock of the store was set back)
   */
  acquire(lease: {
    readonly key: string
    readonly durationMs: number
    readonly stuckFence?: number
  }): Promise<LeaseAnswer>
  release(lease: Lease): Promise<void>
  /**
   * Keeps what was fetched and releases the lease: the token only if the lease is still the holder's,
   * the refresh token only if it replaces the one that this lease used.
   */
  saveToken(saved: SavedToken): Promise<Saved>
  /** Nobody gets this token any more; a newer one stays. */
  discardToken(tokenKey: string, fence: number): Promise<void>

  /** One of all processes may ask although it failed before: those gates are shut for `holdMs`. */
  passGates(gateKeys: readonly string[], holdMs: number): Promise<boolean>
  shutGate(gateKey: string, connection: string, gate: ShutGate): Promise<void>
  openGates(which: {
    readonly keys: readonly string[]
    readonly connection?: string
  }): Promise<void>

  readGrant(grantKey: string): Promise<StoredGrant | undefined>
  /** A sign-in: replaces what was there, and whatever tokens came from it. */
  writeGrant(grantKey: string, connection: string, record: GrantRecord): Promise<void>
  /** It is about to be sent: whoever finds the mark of another fence knows it may be used up. */
  markGrant(grantKey: string, generation: number, fence: number): Promise<boolean>
  unmarkGrant(grantKey: string, fence: number): Promise<void>
  /** Unless a newer one has come. */
  signOutGrant(grantKey: string, generation: number, failure: TokenFailure): Promise<void>
  /** Undoes marks and sign-outs: an operator wants it tried once more. */
  reviveGrants(connection: string): Promise<void>

  /** Removes what nobody can use any more. */
  prune(): Promise<void>
}

export interface Known {
  readonly token?: StoredToken
  readonly gates: ReadonlyMap<string, Gate>
}

export interface StoredToken {
  readonly fence: number
  readonly record: TokenRecord
  /** Of its life; above 0. */
  readonly leftMs: number
}

export interface TokenRecord {
  readonly accessToken: string
  readonly type: 'Bearer' | 'DPoP'
  readonly scopes: readonly string[]
  readonly warnings: readonly string[]
  readonly dpopKey?: DpopKey
  readonly lifeMs: number
  readonly refreshInMs?: number
  /** By the wall clock of who fetched it, epoch seconds: for display. */
  readonly fetchedAt: number
}

export interface Lease {
  readonly key: string
  readonly fence: number
}

export type LeaseAnswer =
  | { readonly kind: 'held'; readonly fence: number }
  | { readonly kind: 'busy'; readonly fence: number; readonly durationMs: number }

export interface SavedToken {
  readonly lease: Lease
  readonly connection: string
  readonly tokenKey: string
  readonly record: TokenRecord
  /** Of its life, from now on. */
  readonly leftMs: number
  readonly grant?: { readonly key: string; readonly record: GrantRecord }
}

export interface Saved {
  readonly token: boolean
  readonly grant: boolean
}

export interface ShutGate {
  /** In a row. */
  readonly failures: number
  readonly isOpen: boolean
  readonly waitMs: number
  readonly failure: TokenFailure
  /** With which credentials it failed: others are worth an attempt at once. */
  readonly credential: string
  /** Epoch seconds by the wall clock of who met it: for display. */
  readonly at: number
}

export interface Gate extends ShutGate {
  /** Until somebody may ask; 0 or less: now. */
  readonly waitMs: number
}

export interface GrantRecord {
  readonly refreshToken: string
  readonly dpopKey?: DpopKey
  /** Who signed in, where the provider says. */
  readonly signedInAs?: string
  /** Whether the provider replaces refresh tokens; unknown before the first use. */
  readonly rotates?: boolean
  /** Hash of the configured refresh token that it began with. */
  readonly seed?: string
}

export interface StoredGrant {
  readonly key: string
  readonly record: GrantRecord
  /** Counts sign-ins and replacements. */
  readonly generation: number
  /** Somebody sent it and has not said what came of it. */
  readonly usedFence?: number
  /** Since it was got or last used. */
  readonly idleMs: number
  readonly signedOut?: TokenFailure
}
