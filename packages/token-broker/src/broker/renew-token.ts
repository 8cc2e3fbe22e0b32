import type { TokenFailure } from '@scopegate/oauth-model'
import type { Gate, StoredToken, TokenStore } from '../store/token-store.ts'
import type { TokenTarget } from '../token-request.ts'
import type { RenewalTrigger } from './broker-event.ts'
import { failureOfStore } from './broker-failures.ts'
import { passesByItself } from './failure-plan.ts'
import { type FetchDeps, fetchUnderLease } from './fetch-under-lease.ts'
import { LEASE_MARGIN_MS } from './lease-times.ts'
import type { TokenKeys } from './token-keys.ts'
import { isNewlyIssued } from './windows.ts'

export interface Renewal {
  readonly target: TokenTarget
  readonly keys: TokenKeys
  readonly leaseMs: number
  readonly trigger: RenewalTrigger
  /** A token with a higher fence is new. */
  readonly sinceFence: number
  /** A shorter one is not worth taking over, unless it is new; `Infinity`: none is. */
  readonly minLeftMs: number
  /** Asked under the lease: somebody else may have done what this is for. */
  readonly isStillNeeded?: () => Promise<boolean>
}

export type RenewalOutcome =
  | { readonly kind: 'token'; readonly token: StoredToken; readonly isFetched: boolean }
  | { readonly kind: 'not-needed' }
  | FailedRenewal

export interface FailedRenewal {
  readonly kind: 'failed'
  readonly failure: TokenFailure
  /** In a row. */
  readonly failures: number
  /** Until somebody may ask again; missing: not before something changes. */
  readonly waitMs?: number
  /** Nobody was asked: it failed before. */
  readonly isRemembered: boolean
}

export interface RenewalDeps extends FetchDeps {
  readonly store: TokenStore
  readonly sleep: (ms: number) => Promise<void>
  readonly random: () => number
}

const FIRST_POLL_MS = 15
const LONGEST_POLL_MS = 300
/** So often is a token fetched that others have made worthless meanwhile. */
const MOST_OVERTAKEN = 3

/**
 * Gets a new token, whoever fetches it: this process, if it gets the lease, or the one that has it.
 * Nothing of the store is held while the provider is asked.
 */
export async function renewToken(renewal: Renewal, deps: RenewalDeps): Promise<RenewalOutcome> {
  const { store, steadyMs, sleep, random } = deps
  const { keys, leaseMs } = renewal
  const credential = credentialOf(renewal.target)
  const untilMs = steadyMs() + 3 * leaseMs
  let overtaken = 0
  let watched = { fence: 0, sinceMs: 0 }

  for (let round = 0; ; round++) {
    const known = await lookAround(renewal, credential, store)
    if (known.outcome && !mayBeTriedNow(known.outcome)) return known.outcome
    const startedMs = steadyMs()
    const isStuck = (durationMs: number) => startedMs - watched.sinceMs > durationMs + 1000
    const answer = await store.acquire({ key: keys.lease, durationMs: leaseMs })
    let fence = answer.fence
    if (answer.kind === 'busy') {
      if (answer.fence !== watched.fence) watched = { fence, sinceMs: startedMs }
      if (startedMs > untilMs) return tooLong()
      if (!isStuck(answer.durationMs)) {
        await sleep(pollMs(round) * (0.5 + random() / 2))
        continue
      }
      const stuck = { key: keys.lease, durationMs: leaseMs, stuckFence: answer.fence }
      const taken = await store.acquire(stuck)
      if (taken.kind === 'busy') continue
      fence = taken.fence
    }
    const lease = { key: keys.lease, fence }
    try {
      // Between the look and the lease somebody else may have finished.
      const again = await lookAround(renewal, credential, store)
      if (again.outcome) return again.outcome
      if (renewal.isStillNeeded && !(await renewal.isStillNeeded())) return { kind: 'not-needed' }
      if (again.shut.length > 0 && !(await store.passGates(again.shut, leaseMs))) continue
      const limitMs = leaseMs - LEASE_MARGIN_MS - (steadyMs() - startedMs)
      if (limitMs <= 0) continue
      const gates = { ...again.failures, credential }
      const outcome = await fetchUnderLease({ ...renewal, lease, limitMs, gates }, deps)
      if (outcome !== 'again') return outcome
      overtaken += 1
      if (overtaken === MOST_OVERTAKEN) return tooLong()
    } finally {
      await store.release(lease).catch(() => {})
    }
  }
}

/**
 * An outage that is on record may be at its end: whoever has the lease is finding out, and what comes
 * of that is waited for. Only under the lease it is certain that nobody does.
 */
function mayBeTriedNow(outcome: RenewalOutcome): boolean {
  return outcome.kind === 'failed' && passesByItself(outcome.failure)
}

interface Around {
  /** There is an answer already. */
  readonly outcome?: RenewalOutcome
  /** Gates that may be tried now, by one. */
  readonly shut: readonly string[]
  readonly failures: { readonly client: number; readonly target: number }
}

/** What another process got just now is taken over even if a caller demands more: see `isNewlyIssued`. */
function isWorthTaking({ record, leftMs }: StoredToken, minLeftMs: number): boolean {
  if (leftMs > minLeftMs) return true
  return leftMs > 0 && Number.isFinite(minLeftMs) && isNewlyIssued(record.lifeMs, leftMs)
}

async function lookAround(
  { keys, sinceFence, minLeftMs }: Renewal,
  credential: string,
  store: TokenStore,
): Promise<Around> {
  const known = await store.look(keys.token, [keys.client, keys.token])
  const { token } = known
  // Those that others had with other credentials say nothing.
  const gates = [...known.gates].filter(([, gate]) => gate.credential === credential)
  const failuresOf = (key: string) => gates.find(([name]) => name === key)?.[1].failures ?? 0
  const failures = { client: failuresOf(keys.client), target: failuresOf(keys.token) }
  const shut = gates.map(([key]) => key)
  if (token && token.fence > sinceFence && isWorthTaking(token, minLeftMs)) {
    return { outcome: { kind: 'token', token, isFetched: false }, shut, failures }
  }
  const closed = gates.map(([, gate]) => gate).filter(({ waitMs }) => waitMs > 0)
  const longest = closed.sort((a, b) => b.waitMs - a.waitMs)[0]
  return longest === undefined
    ? { shut, failures }
    : { outcome: failedBefore(longest), shut, failures }
}

function failedBefore({ failure, failures, waitMs }: Gate): FailedRenewal {
  return { kind: 'failed', failure, failures, waitMs, isRemembered: true }
}

function tooLong(): FailedRenewal {
  const failure = failureOfStore('other processes are fetching it, and none brings it to an end')
  return { kind: 'failed', failure, failures: 1, waitMs: 1000, isRemembered: true }
}

function pollMs(round: number): number {
  return Math.min(FIRST_POLL_MS * 1.6 ** Math.min(round, 10), LONGEST_POLL_MS)
}

/** With what a failed attempt was made: with anything else it is worth another one. */
export function credentialOf({ connection }: TokenTarget): string {
  try {
    return connection.credentialVersion()
  } catch {
    return 'unreadable'
  }
}
