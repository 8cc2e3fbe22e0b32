import {
  type ConnectionToken,
  type TokenSource,
  TokenUnavailable,
  type TokenWish,
} from '@scopegate/oauth-model'
import type { Answer, Reconsidered } from './forward.ts'

/** What is remembered between the requests to one upstream with the token of one connection. */
export interface TokenMemory {
  /** The last that the upstream has given. @see RFC 9449 §9 */
  dpopNonce?: string
  /** The token that a renewal has brought, until the upstream has taken it once. */
  unproven?: { readonly fingerprint: string; readonly sinceMs: number }
  /** Renewals that refusals may still cause. */
  budget: { left: number; sinceMs: number; countedFor?: string }
}

export function createTokenMemory(): TokenMemory {
  return { budget: { left: RENEWALS, sinceMs: 0 } }
}

/** A token that was new and was refused is not replaced for so long: another would be refused too. */
const UNPROVEN_MS = 30_000
/** Refusals cause so many renewals at once, and then one in each interval. */
const RENEWALS = 10
const RENEWAL_EVERY_MS = 10_000

/** Why an answer of 401 was not answered by a renewal, or was there after one. */
export type Rejection =
  /** The renewed token was refused as well. */
  | { readonly kind: 'fresh' }
  /** The body is gone; the renewal is for the next request. */
  | { readonly kind: 'not-replayable' }
  /** The provider gives none; the request is refused for that. */
  | { readonly kind: 'renewal-failed'; readonly error: unknown }
  /** There was none other to be had. */
  | { readonly kind: 'same-token' }
  /** Too many renewals of late. */
  | { readonly kind: 'no-more-renewals' }

export interface ConnectionTokenOptions {
  readonly tokens: TokenSource
  readonly connection: string
  readonly method: string
  /** As it is sent, for proofs of possession. */
  readonly url: string
  readonly memory: TokenMemory
  readonly nowMs: () => number
  readonly signal: AbortSignal
}

/** The token of a connection, as one request uses it. */
export interface RequestToken {
  readonly current: ConnectionToken
  /** Whether the request was sent again with another token. */
  readonly isRenewed: boolean
  /** Set when an answer of 401 stands. */
  readonly rejection: Rejection | undefined
  /** `authorization` and what else proves it, name and value by turns. */
  headers(): Promise<string[]>
  /**
   * What is to be done about an answer: after 401 one renewal, and the request again where it is
   * still there; never a second time.
   */
  reconsider(
    answer: Answer,
    headers: () => Promise<readonly string[]>,
  ): Promise<Reconsidered> | undefined
}

/**
 * @throws {TokenUnavailable} Whoever asked sends nothing then.
 * @see RFC 6750 §3.1; RFC 9449 §8, §9
 */
export async function requestToken(options: ConnectionTokenOptions): Promise<RequestToken> {
  const { tokens, connection, method, url, memory, nowMs, signal } = options
  let current = await tokens.getToken(connection, { signal })
  let isRenewed = false
  let isNonceTried = false
  let rejection: Rejection | undefined

  /** @param wish of the request; a renewal for the next one goes on when this one has ended */
  async function renew(wish: TokenWish): Promise<boolean> {
    const refused = current
    await tokens.reject(connection, refused)
    const next = await tokens.getToken(connection, wish)
    if (next.fingerprint === refused.fingerprint) return false
    current = next
    isRenewed = true
    memory.unproven = { fingerprint: next.fingerprint, sinceMs: nowMs() }
    return true
  }

  /** Why another token would not help, or must not be asked for. */
  function refuseRenewal(): Rejection | undefined {
    const { unproven } = memory
    if (isRenewed) return { kind: 'fresh' }
    if (unproven?.fingerprint === current.fingerprint && nowMs() - unproven.sinceMs < UNPROVEN_MS) {
      return { kind: 'fresh' }
    }
    return takeRenewal(memory, current, nowMs()) ? undefined : { kind: 'no-more-renewals' }
  }

  return {
    get current() {
      return current
    },
    get isRenewed() {
      return isRenewed
    },
    get rejection() {
      return rejection
    },
    async headers() {
      const { dpopNonce } = memory
      const sent = await current.headers({ method, url, ...(dpopNonce && { dpopNonce }) })
      return Object.entries(sent).flat()
    },
    reconsider(answer, headers) {
      const nonce = answer.headers['dpop-nonce']
      if (typeof nonce === 'string') memory.dpopNonce = nonce
      if (answer.status !== 401) {
        if (memory.unproven?.fingerprint === current.fingerprint) delete memory.unproven
        return undefined
      }
      const again = async (): Promise<Reconsidered> => ({
        kind: 'again',
        headers: await headers(),
      })
      if (asksForNonce(answer) && typeof nonce === 'string' && !isNonceTried && answer.canReplay) {
        isNonceTried = true
        return again()
      }
      rejection = refuseRenewal()
      if (rejection !== undefined) return undefined
      if (!answer.canReplay) {
        rejection = { kind: 'not-replayable' }
        renew({}).catch(() => undefined)
        return undefined
      }
      return renew({ signal }).then(
        (isNew) => {
          if (isNew) return again()
          rejection = { kind: 'same-token' }
          return { kind: 'pass' }
        },
        (error: unknown) => {
          rejection = { kind: 'renewal-failed', error }
          // What the upstream said of the former token helps nobody: there is no token.
          return { kind: 'refuse', failure: { kind: 'token-rejected', code: 'renewal failed' } }
        },
      )
    },
  }
}

/** Many requests that are refused with one token count once. */
function takeRenewal({ budget }: TokenMemory, token: ConnectionToken, nowMs: number): boolean {
  if (budget.countedFor === token.fingerprint) return true
  const regained = Math.floor((nowMs - budget.sinceMs) / RENEWAL_EVERY_MS)
  if (regained > 0) {
    budget.left = Math.min(RENEWALS, budget.left + regained)
    budget.sinceMs = nowMs
  }
  if (budget.left === 0) return false
  budget.left -= 1
  budget.countedFor = token.fingerprint
  return true
}

function asksForNonce({ headers }: Answer): boolean {
  return [headers['www-authenticate'] ?? []]
    .flat()
    .some((each) => /\bDPoP\b.*\berror="?use_dpop_nonce\b/i.test(each))
}

/** When to come again, and whether that may help at all. */
export function unavailability(
  error: unknown,
  nowSeconds: number,
): { readonly status: 502 | 503; readonly retryAfterSeconds?: number } {
  if (!(error instanceof TokenUnavailable)) return { status: 502 }
  const { failure, nextAttemptAt } = error
  if (!PASSING.has(failure.kind)) return { status: 502 }
  const seconds = failure.retryAfterSeconds ?? (nextAttemptAt ?? nowSeconds + 5) - nowSeconds
  return { status: 503, retryAfterSeconds: Math.max(1, Math.ceil(seconds)) }
}

const PASSING: ReadonlySet<string> = new Set(['temporary', 'rate', 'network'])
