import type { IssuerAddress } from './discovery.ts'
import { type FetchedJson, fetchJson } from './fetch-json.ts'
import { type KeySource, KeysUnavailable, type VerificationKey } from './key-source.ts'
import type { NetworkPolicy } from './network-policy.ts'
import { keysFor, parseKeySet } from './parse-key-set.ts'

export interface RemoteKeySetOptions {
  /** Where the set is; asked again at every fetch, so that discovery may move it. */
  readonly url: string | (() => Promise<IssuerAddress>)
  readonly network: NetworkPolicy
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  /** How long a set is kept that does not say so itself. */
  readonly defaultSeconds?: number
  /** The least a set is kept, whatever it says. */
  readonly minSeconds?: number
  /** The longest a set is kept, whatever it says. */
  readonly maxSeconds?: number
  /** How long a set serves on after it should have been fetched again and could not be. */
  readonly staleSeconds?: number
  /** An unknown `kid` fetches a fresh set again at most once in this time; so does an outage. */
  readonly refetchSeconds?: number
  readonly fetch?: (url: string) => Promise<FetchedJson>
}

/** The part of its life after which a set in use is fetched again. */
const AHEAD = 0.8

/** A key set by URL that can also be told when to look again. */
export interface RemoteKeySet extends KeySource {
  /** The keys as last fetched, fetched now if that is due. @throws {KeysUnavailable} */
  current(): Promise<readonly VerificationKey[]>
}

/**
 * A key set read from a URL: kept as long as its `Cache-Control` allows, fetched once for many
 * callers at a time, ahead of its end while it is used, and again, at a bounded rate, when a token
 * names a key that is not in it.
 *
 * @see SMART 2.2, Backend Services: "SHALL NOT cache the JWKS for longer than the client's cache-control header indicates"
 */
export function createRemoteKeySet(options: RemoteKeySetOptions): RemoteKeySet {
  const { nowMs, network } = options
  const defaultMs = (options.defaultSeconds ?? 300) * 1000
  const minMs = (options.minSeconds ?? 0) * 1000
  const maxMs = (options.maxSeconds ?? 3600) * 1000
  const staleMs = (options.staleSeconds ?? 0) * 1000
  const refetchMs = (options.refetchSeconds ?? 30) * 1000
  const backOffMs = Math.min(refetchMs, 5000)
  const fetchSet = options.fetch ?? ((url: string) => fetchJson(url, network))

  let keys: readonly VerificationKey[] = []
  let freshUntilMs = Number.NEGATIVE_INFINITY
  /** From then on a set in use is fetched in the background. */
  let aheadAtMs = Number.NEGATIVE_INFINITY
  /** How often the set came. */
  let fetches = 0
  /** When an unknown `kid` last had the set fetched. */
  let askedAgainAtMs = Number.NEGATIVE_INFINITY
  let failure: { readonly error: KeysUnavailable; readonly atMs: number } | undefined
  let pending: Promise<void> | undefined
  let description = typeof options.url === 'string' ? options.url : 'key set by discovery'

  async function load(): Promise<void> {
    try {
      const { named, reached } =
        typeof options.url === 'string'
          ? { named: options.url, reached: options.url }
          : await options.url()
      description = named
      const { value, maxAgeSeconds } = await fetchSet(reached)
      const parsed = parseKeySet(value)
      if (!parsed.ok) throw new Error(parsed.problem)
      keys = keepKnown(keys, parsed.keys)
      fetches += 1
      const fetchedAtMs = nowMs()
      const keptMs = maxAgeSeconds === undefined ? defaultMs : maxAgeSeconds * 1000
      const lifeMs = Math.min(Math.max(keptMs, minMs), maxMs)
      freshUntilMs = fetchedAtMs + lifeMs
      aheadAtMs = fetchedAtMs + lifeMs * AHEAD
      failure = undefined
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      const error = new KeysUnavailable(`key set \`${description}\` could not be read: ${why}`, {
        cause,
      })
      failure = { error, atMs: nowMs() }
      throw error
    }
  }

  function refresh(): Promise<void> {
    pending ??= load().finally(() => {
      pending = undefined
    })
    return pending
  }

  function lookAhead(now: number): void {
    if (failure !== undefined && now - failure.atMs < backOffMs) return
    refresh().catch(() => undefined)
  }

  async function current(): Promise<readonly VerificationKey[]> {
    const now = nowMs()
    if (now < freshUntilMs) {
      if (now >= aheadAtMs) lookAhead(now)
      return keys
    }
    const usable = now < freshUntilMs + staleMs
    if (failure !== undefined && now - failure.atMs < backOffMs) {
      if (usable) return keys
      throw failure.error
    }
    try {
      await refresh()
    } catch (error) {
      if (!usable) throw error
    }
    return keys
  }

  return {
    current,

    async find(alg, kid) {
      const before = fetches
      const found = keysFor(await current(), alg, kid)
      if (found.length > 0 || fetches !== before) return found
      // The set is fresh, yet the key is new: rotated early. Who has a wrong name for a key must not
      // have the set fetched over and over; who comes while it is fetched waits for it.
      const now = nowMs()
      if (pending === undefined && now - askedAgainAtMs < refetchMs) return found
      // While the set cannot be had nobody knows whether there is such a key: that is an outage, and
      // no fault of the token.
      if (failure !== undefined && now - failure.atMs < refetchMs) throw failure.error
      if (pending === undefined) askedAgainAtMs = now
      await refresh()
      return keysFor(keys, alg, kid)
    },

    holds(key) {
      // Fetches meanwhile what is due: tokens that are verified already must not keep a removed key
      // alive.
      const now = nowMs()
      if (now >= aheadAtMs) {
        if (now < freshUntilMs) lookAhead(now)
        else current().catch(() => undefined)
      }
      return keys.includes(key) && now < freshUntilMs + staleMs
    },

    get description() {
      return description
    },
  }
}

/** Keeps the objects of keys that did not change, so that verdicts made with them stay good. */
function keepKnown(
  old: readonly VerificationKey[],
  fetched: readonly VerificationKey[],
): readonly VerificationKey[] {
  return fetched.map(
    (key) =>
      old.find(
        (known) => known.kid === key.kid && known.alg === key.alg && known.key.equals(key.key),
      ) ?? key,
  )
}
