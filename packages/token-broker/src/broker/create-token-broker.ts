import { type ConnectionToken, TokenUnavailable, type TokenWish } from '@scopegate/oauth-model'
import type { Connection } from '../connection.ts'
import { createTokenRequester } from '../create-token-requester.ts'
import { createMemoryTokenStore } from '../store/memory-token-store.ts'
import type { StoredToken } from '../store/token-store.ts'
import type { TokenTarget } from '../token-request.ts'
import type { RenewalTrigger } from './broker-event.ts'
import { failureOfStore, unknownConnection } from './broker-failures.ts'
import { connectionTokenOf } from './connection-token.ts'
import { defaultSleep, idleSleep } from './default-sleep.ts'
import { keepGrantsAlive } from './keep-grants-alive.ts'
import { keepSignIn } from './keep-sign-in.ts'
import { leaseMsOf } from './lease-times.ts'
import { type Renewal, type RenewalDeps, type RenewalOutcome, renewToken } from './renew-token.ts'
import { statusOfEntry } from './status-of-entry.ts'
import { createSteadyClock } from './steady-clock.ts'
import { targetOf } from './target-of.ts'
import type { ConnectionCounts, TokenBroker, TokenBrokerDeps } from './token-broker.ts'
import { type CacheEntry, createTokenCache, isHeldBack, leftMsOf, phaseOf } from './token-cache.ts'
import { tokenKeysOf } from './token-keys.ts'
import { waitForToken } from './wait-for-token.ts'
import { windowsOf } from './windows.ts'

const WAIT_MS = 15_000
const MAX_TOKENS = 10_000
/** So often at most is looked for what other processes changed. */
const RECHECK_MS = 1000
/** Refusals of a resource that are believed within a minute: a new token may be refused as well. */
const BELIEVED_REJECTIONS = 4
const REJECTIONS_MS = 60_000
const PRUNE_MS = 3_600_000

/**
 * @throws {RangeError} if a lease is shorter than a token request can take
 * @see [broker rules](../../README.md)
 */
export function createTokenBroker(deps: TokenBrokerDeps): TokenBroker {
  const { nowMs = Date.now, random = Math.random, onEvent = () => {} } = deps
  const { store = createMemoryTokenStore() } = deps
  const { requester = createTokenRequester({ nowMs }) } = deps
  const { sleep = defaultSleep, waitMs = WAIT_MS, counts = new Map() } = deps
  const monotonicMs = deps.monotonicMs ?? (() => performance.now())
  const steadyMs = createSteadyClock(nowMs, monotonicMs)
  const connections = new Map(deps.connections.map((each) => [each.name, each]))
  const leases = new Map(deps.connections.map((each) => [each, leaseMsOf(each, deps.leaseMs)]))
  const cache = createTokenCache(deps.maxTokens ?? MAX_TOKENS)
  const renewalDeps: RenewalDeps = {
    ...{ requester, store, nowMs, steadyMs, sleep, random, onEvent },
  }
  // What this process does alone while the store is away.
  const localStore = createMemoryTokenStore({ monotonicMs: steadyMs })
  const flights = new Set<Promise<RenewalOutcome>>()
  const closing = new AbortController()
  let prunedMs = Number.NEGATIVE_INFINITY

  function connectionOf(name: string): Connection {
    const connection = connections.get(name)
    if (connection) return connection
    throw new TokenUnavailable(name, unknownConnection([...connections.keys()]))
  }

  function entryOf(name: string, wish: TokenWish): CacheEntry {
    const { scopes, audience, subject } = wish
    const isPlain = scopes === undefined && audience === undefined && subject === undefined
    const key = isPlain ? name : JSON.stringify([name, scopes, audience ?? null, subject])
    return cache.find(key) ?? addEntry(key, targetOf(connectionOf(name), wish))
  }

  function addEntry(key: string, target: TokenTarget): CacheEntry {
    const entry: CacheEntry = {
      ...{ target, keys: tokenKeysOf(target), leaseMs: leases.get(target.connection)! },
      ...{ sinceFence: 0, sinceLocalFence: 0, rejectedMs: [], wasRejected: false },
    }
    cache.add(key, entry)
    return entry
  }

  function countsOf(name: string): ConnectionCounts {
    let found = counts.get(name)
    if (found === undefined) {
      found = { hits: 0, fetches: 0, failures: 0, waiting: 0 }
      counts.set(name, found)
    }
    return found
  }

  /** One renewal at a time; those who come meanwhile share it. */
  function renew(
    entry: CacheEntry,
    trigger: RenewalTrigger,
    options: Pick<Renewal, 'isStillNeeded'> & { readonly minLeftMs?: number } = {},
  ): Promise<RenewalOutcome> {
    if (entry.flight) return entry.flight
    const flight = runRenewal(entry, trigger, options).finally(() => {
      delete entry.flight
      flights.delete(flight)
    })
    entry.flight = flight
    flights.add(flight)
    return flight
  }

  async function runRenewal(
    entry: CacheEntry,
    trigger: RenewalTrigger,
    options: Parameters<typeof renew>[2],
  ): Promise<RenewalOutcome> {
    const { target, keys, leaseMs } = entry
    const { name } = target.connection
    const renewal = { target, keys, leaseMs, trigger, minLeftMs: 0, ...options }
    let outcome: RenewalOutcome
    let isLocal = false
    try {
      outcome = await renewToken({ ...renewal, sinceFence: entry.sinceFence }, renewalDeps)
    } catch (error) {
      onEvent({ kind: 'store_unavailable', connection: name, error })
      isLocal = keys.grant === undefined
      outcome = isLocal
        ? await renewToken(
            { ...renewal, sinceFence: entry.sinceLocalFence },
            { ...renewalDeps, store: localStore },
          )
        : withoutStore(error, (entry.failed?.outcome.failures ?? 0) + 1)
    }
    if (outcome.kind === 'token') adopt(entry, outcome.token, isLocal)
    else if (outcome.kind === 'failed') hold(entry, outcome, trigger)
    if (outcome.kind === 'token' && outcome.isFetched) {
      countsOf(name).fetches += 1
      pruneNowAndThen()
    }
    return outcome
  }

  function pruneNowAndThen(): void {
    const now = steadyMs()
    if (now - prunedMs < PRUNE_MS) return
    prunedMs = now
    store.prune().catch(() => {})
  }

  function adopt(
    entry: CacheEntry,
    { fence, record, leftMs }: StoredToken,
    isLocal: boolean,
  ): void {
    const { lifeMs, refreshInMs } = record
    const bornMs = steadyMs() - (lifeMs - leftMs)
    const expiresAt = Math.floor((nowMs() + leftMs) / 1000)
    entry.token = {
      ...{ fence, isLocal, bornMs, fetchedAt: record.fetchedAt },
      handle: connectionTokenOf(record, expiresAt, nowMs),
      windows: windowsOf(lifeMs, {
        ...(refreshInMs !== undefined && { refreshInMs }),
        jitter: random() * 2 - 1,
      }),
    }
    if (isLocal) entry.sinceLocalFence = fence
    else entry.sinceFence = fence
    entry.wasRejected = false
    delete entry.failed
  }

  function hold(
    entry: CacheEntry,
    outcome: Extract<RenewalOutcome, { kind: 'failed' }>,
    trigger: RenewalTrigger,
  ): void {
    const { name } = entry.target.connection
    const now = steadyMs()
    entry.failed = {
      outcome,
      untilMs: now + (outcome.waitMs ?? Number.POSITIVE_INFINITY),
      recheckMs: now + RECHECK_MS,
      at: Math.floor(nowMs() / 1000),
    }
    if (outcome.isRemembered) return
    countsOf(name).failures += 1
    const { failure } = outcome
    const validSeconds = leftMsOf(entry, now) / 1000
    if (validSeconds === 0) onEvent({ kind: 'fetch_failed', connection: name, trigger, failure })
    else {
      onEvent({ kind: 'refresh_failed', connection: name, trigger, failure, validSeconds })
    }
  }

  function renewInBackground(entry: CacheEntry): void {
    if (entry.flight || isHeldBack(entry, steadyMs())) return
    renew(entry, 'due').catch(() => {})
  }

  const getToken: TokenBroker['getToken'] = async (name, wish = {}) => {
    const entry = entryOf(name, wish)
    const now = steadyMs()
    const phase = phaseOf(entry, now)
    if (wish.minValidSeconds === undefined && (phase === 'fresh' || phase === 'due')) {
      countsOf(name).hits += 1
      if (phase === 'fresh') return entry.token!.handle
      renewInBackground(entry)
      return entry.failed ? flagged(entry.token!.handle, 'refresh_failed') : entry.token!.handle
    }
    return waitForToken(entry, wish, {
      ...{ renew, renewInBackground, steadyMs, nowMs, sleep, waitMs },
      counts: countsOf(name),
    })
  }

  const stopKeepingAlive = keepGrantsAlive(deps.connections, {
    ...{ store, sleep: deps.sleep ?? idleSleep, random, signal: closing.signal },
    use: ({ name }, isStillNeeded) =>
      renew(entryOf(name, {}), 'keep-alive', {
        minLeftMs: Number.POSITIVE_INFINITY,
        isStillNeeded,
      }),
  })

  return {
    getToken,

    async reject(name, { fingerprint }) {
      const now = steadyMs()
      for (const entry of cache.entries()) {
        const { token } = entry
        if (entry.target.connection.name !== name || token?.handle.fingerprint !== fingerprint) {
          continue
        }
        const recent = entry.rejectedMs.filter((ms) => now - ms < REJECTIONS_MS)
        const renewed = recent.length < BELIEVED_REJECTIONS
        onEvent({ kind: 'rejected', connection: name, fingerprint, renewed })
        if (!renewed) return
        entry.rejectedMs = [...recent, now]
        entry.wasRejected = true
        delete entry.token
        if (!token.isLocal) await store.discardToken(entry.keys.token, token.fence).catch(() => {})
        return
      }
    },

    async status() {
      return Promise.all(deps.connections.map(({ name }) => statusOf(name)))
    },

    async statusOf(name) {
      return connections.has(name) ? statusOf(name) : undefined
    },

    async retry(name) {
      const { keys } = entryOf(name, {})
      await store.openGates({ keys: [keys.client, keys.token], connection: name })
      await store.reviveGrants(name)
      for (const entry of cache.entries()) {
        if (entry.target.connection.name === name) delete entry.failed
      }
    },

    async storeGrant(name, grant) {
      await keepSignIn(entryOf(name, {}), grant, renewalDeps)
      for (const each of cache.entries()) {
        if (each.target.connection.name !== name) continue
        delete each.failed
        delete each.token
      }
    },

    async close() {
      closing.abort()
      await stopKeepingAlive
      await Promise.allSettled([...flights])
    },
  }

  function statusOf(name: string) {
    return statusOfEntry(entryOf(name, {}), {
      ...{ store, steadyMs, nowMs },
      counts: countsOf(name),
    })
  }
}

function flagged(token: ConnectionToken, warning: string): ConnectionToken {
  return { ...token, warnings: [...token.warnings, warning] }
}

function withoutStore(error: unknown, failures: number): RenewalOutcome {
  const text = error instanceof Error ? error.message : 'unknown'
  const failure = failureOfStore(`the store of refresh tokens cannot be used: ${text}`)
  return { kind: 'failed', failure, failures, waitMs: 1000, isRemembered: false }
}
