import type { TokenFailure } from '@scopegate/oauth-model'
import type { GrantRecord, Lease, TokenRecord, TokenStore } from '../store/token-store.ts'
import type { FetchedToken, TokenOutcome, TokenRequester, TokenTarget } from '../token-request.ts'
import type { OnBrokerEvent, RenewalTrigger } from './broker-event.ts'
import { brokenRequester, deadOnArrival, timedOut } from './broker-failures.ts'
import { fingerprintOf } from './connection-token.ts'
import { type FailureSituation, planAfterFailure } from './failure-plan.ts'
import { type HeldGrant, holdGrant } from './hold-grant.ts'
import { lifetimeOf } from './lifetime.ts'
import type { FailedRenewal, RenewalOutcome } from './renew-token.ts'
import type { TokenKeys } from './token-keys.ts'

export interface FetchDeps {
  readonly requester: TokenRequester
  readonly store: TokenStore
  readonly nowMs: () => number
  readonly steadyMs: () => number
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  readonly random: () => number
  readonly onEvent: OnBrokerEvent
}

export interface FetchUnderLease {
  readonly target: TokenTarget
  readonly keys: TokenKeys
  readonly trigger: RenewalTrigger
  readonly lease: Lease
  /** The request is over by then: the lease goes on a little longer. */
  readonly limitMs: number
  /** What went wrong before, and with which credentials. */
  readonly gates: { readonly client: number; readonly target: number; readonly credential: string }
}

/**
 * One token request by the holder of the lease, and what follows from its outcome. `again`: others
 * have changed what it was made with.
 */
export async function fetchUnderLease(
  ask: FetchUnderLease,
  deps: FetchDeps,
): Promise<RenewalOutcome | 'again'> {
  const held = await holdGrant(ask, deps)
  if (held?.kind === 'signed-out') return signedOut(held.failure)
  const startedMs = deps.steadyMs()
  const outcome = await requestOnce(ask, held, deps)
  const tookMs = deps.steadyMs() - startedMs
  return outcome.kind === 'token'
    ? await keepToken(ask, outcome.token, held, tookMs, deps)
    : await keepFailure(ask, outcome.failure, held, deps)
}

/** Ends within the limit, whatever the requester does: the lease does not wait for it. */
async function requestOnce(
  { target, limitMs }: FetchUnderLease,
  held: HeldGrant | undefined,
  { requester, sleep }: FetchDeps,
): Promise<TokenOutcome> {
  const request = new AbortController()
  const timer = new AbortController()
  const limit = sleep(limitMs, timer.signal).then((): TokenOutcome => {
    request.abort(new DOMException('the lease of this token request ends', 'TimeoutError'))
    return { kind: 'failed', failure: timedOut(limitMs) }
  })
  try {
    return await Promise.race([
      requester.request(target, {
        ...(held && { refreshToken: held.record.refreshToken }),
        ...(held?.record.dpopKey && { dpopKey: held.record.dpopKey }),
        signal: request.signal,
      }),
      limit,
    ])
  } catch (error) {
    return { kind: 'failed', failure: brokenRequester(error) }
  } finally {
    limit.catch(() => {})
    timer.abort()
  }
}

async function keepToken(
  ask: FetchUnderLease,
  fetched: FetchedToken,
  held: HeldGrant | undefined,
  tookMs: number,
  deps: FetchDeps,
): Promise<RenewalOutcome | 'again'> {
  const { target, keys, lease, gates, trigger } = ask
  const { store, nowMs, onEvent } = deps
  const { name, defaultLifetimeSeconds } = target.connection
  const life = lifetimeOf(fetched, { nowMs: nowMs(), defaultSeconds: defaultLifetimeSeconds })
  const record = recordOf(fetched, life, nowMs())
  const grant = held && { key: held.key, record: nextGrant(held.record, fetched) }
  // INVARIANT: a new refresh token is stored before anybody sees the access token.
  const saved = await saveSurely(
    {
      ...{ lease, connection: name, tokenKey: keys.token, record },
      leftMs: life.lifeMs,
      ...(grant && { grant }),
    },
    deps,
  )
  if (life.lifeMs <= 0) {
    return await keepFailure(ask, deadOnArrival(fetched.clockSkewSeconds ?? 0), undefined, deps)
  }
  if (!saved) {
    onEvent({ kind: 'late_answer_ignored', connection: name })
    return 'again'
  }
  if (gates.client + gates.target > 0) {
    await store.openGates({ keys: [keys.client, keys.token] }).catch(() => {})
    onEvent({ kind: 'circuit_closed', connection: name })
  }
  const { warnings } = record
  onEvent({
    ...{ kind: 'fetched', connection: name, trigger, warnings },
    durationMs: tookMs,
    lifeSeconds: life.lifeMs / 1000,
    fingerprint: fingerprintOf(record.accessToken),
  })
  if (warnings.includes('credential_fallback')) {
    onEvent({ kind: 'credential_fallback', connection: name })
  }
  const token = { fence: lease.fence, record, leftMs: life.lifeMs }
  return { kind: 'token', token, isFetched: true }
}

function recordOf(
  fetched: FetchedToken,
  { lifeMs, warnings }: { readonly lifeMs: number; readonly warnings: readonly string[] },
  nowMs: number,
): TokenRecord {
  const { accessToken, type, scopes, dpopKey, refreshInSeconds } = fetched
  return {
    ...{ accessToken, type, scopes, lifeMs },
    warnings: [...fetched.warnings, ...warnings],
    ...(dpopKey && { dpopKey }),
    ...(refreshInSeconds !== undefined && { refreshInMs: refreshInSeconds * 1000 }),
    fetchedAt: Math.floor(nowMs / 1000),
  }
}

/** A provider that sends none keeps the old one in force. @see RFC 6749 §6 */
function nextGrant(before: GrantRecord, { refreshToken, dpopKey }: FetchedToken): GrantRecord {
  const next = refreshToken ?? before.refreshToken
  return {
    ...before,
    refreshToken: next,
    rotates: before.rotates === true || next !== before.refreshToken,
    ...(dpopKey && { dpopKey }),
  }
}

const SAVE_ATTEMPTS = 4
const SAVE_PAUSE_MS = 400

/** Then nobody waits for it any more, and it goes on by itself: a database may be away for minutes. */
const LONGEST_SAVE_PAUSE_MS = 30_000
const LATE_SAVE_ATTEMPTS = 30

/**
 * A token without a refresh token can be had again, one with it cannot: it is stored again and again.
 *
 * @returns false if somebody else has taken over meanwhile
 */
async function saveSurely(
  saved: Parameters<TokenStore['saveToken']>[0],
  deps: FetchDeps,
): Promise<boolean> {
  const { store, sleep, onEvent } = deps
  for (let attempt = 1; ; attempt++) {
    try {
      return (await store.saveToken(saved)).token
    } catch (error) {
      onEvent({ kind: 'store_unavailable', connection: saved.connection, error })
      if (saved.grant === undefined) return true
      if (attempt === SAVE_ATTEMPTS) {
        void saveLate(saved, deps)
        throw error
      }
      await sleep(SAVE_PAUSE_MS * attempt)
    }
  }
}

/** The store takes a refresh token after its lease too, as long as nobody used the former one. */
async function saveLate(
  saved: Parameters<TokenStore['saveToken']>[0],
  { store, sleep }: FetchDeps,
): Promise<void> {
  for (let attempt = 1; attempt <= LATE_SAVE_ATTEMPTS; attempt++) {
    await sleep(Math.min(SAVE_PAUSE_MS * 2 ** attempt, LONGEST_SAVE_PAUSE_MS))
    const isSaved = await store.saveToken(saved).then(
      () => true,
      () => false,
    )
    if (isSaved) return
  }
}

async function keepFailure(
  ask: FetchUnderLease,
  failure: TokenFailure,
  held: HeldGrant | undefined,
  { store, nowMs, random, onEvent }: FetchDeps,
): Promise<FailedRenewal | 'again'> {
  const { target, keys, gates } = ask
  const { name } = target.connection
  const situation: FailureSituation = {
    failures: Math.max(gates.client, gates.target),
    ...(held && { refreshToken: held.isReusable ? 'reusable' : 'single-use' }),
    random,
  }
  const plan = planAfterFailure(failure, situation)
  if (plan.kind === 'sign-out') {
    // Unless somebody signed in anew meanwhile: then that is used.
    await store.signOutGrant(keys.grant!, held!.generation, plan.failure)
    const current = await store.readGrant(keys.grant!)
    if (current && current.generation !== held!.generation) {
      return 'again'
    }
    onEvent({ kind: 'signed_out', connection: name, failure: plan.failure })
    return signedOut(plan.failure)
  }
  if (held) await store.unmarkGrant(held.key, ask.lease.fence)
  const failures = gates[plan.scope] + 1
  const { isOpen, waitMs } = plan
  await store.shutGate(plan.scope === 'client' ? keys.client : keys.token, name, {
    ...{ failures, isOpen, waitMs, failure },
    credential: gates.credential,
    at: Math.floor(nowMs() / 1000),
  })
  if (isOpen) {
    onEvent({ kind: 'circuit_opened', connection: name, failure, waitSeconds: waitMs / 1000 })
  }
  return { kind: 'failed', failure, failures, waitMs, isRemembered: false }
}

function signedOut(failure: TokenFailure): FailedRenewal {
  return { kind: 'failed', failure, failures: 1, isRemembered: false }
}
