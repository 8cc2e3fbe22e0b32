import type { ConnectionStatus } from '@scopegate/oauth-model'
import type { Gate, Known, StoredGrant, TokenStore } from '../store/token-store.ts'
import { credentialOf } from './renew-token.ts'
import type { ConnectionCounts } from './token-broker.ts'
import { type CacheEntry, phaseOf } from './token-cache.ts'
import { phaseAt, windowsOf } from './windows.ts'

export interface StatusDeps {
  readonly store: TokenStore
  readonly steadyMs: () => number
  readonly nowMs: () => number
  readonly counts: ConnectionCounts
}

/** A connection as this process and its store know it. */
export async function statusOfEntry(
  entry: CacheEntry,
  { store, steadyMs, nowMs, counts }: StatusDeps,
): Promise<ConnectionStatus> {
  const { keys, target, token } = entry
  const shared = await lookWithoutFail(store, keys)
  const gate = worstGate(shared.known, credentialOf(target))
  const grant = shared.grant
  const now = steadyMs()
  const own = phaseOf(entry, now)
  const other = shared.known?.token
  const epochSeconds = (inMs: number) => Math.floor((nowMs() + inMs) / 1000)

  let phase = own
  let times: Pick<ConnectionStatus, 'expiresAt' | 'renewAt' | 'lastFetchedAt' | 'scopes'> = {}
  let warnings: readonly string[] = []
  if (token && own !== 'expired') {
    const { windows, bornMs, handle, fetchedAt } = token
    const renewAt = epochSeconds(bornMs + windows.softMs - now)
    times = {
      expiresAt: handle.expiresAt,
      renewAt,
      lastFetchedAt: fetchedAt,
      scopes: handle.scopes,
    }
    warnings = handle.warnings
  } else if (other) {
    const { record, leftMs } = other
    const { lifeMs, refreshInMs, fetchedAt, scopes } = record
    const windows = windowsOf(lifeMs, refreshInMs === undefined ? {} : { refreshInMs })
    phase = phaseAt(windows, lifeMs - leftMs)
    const renewAt = epochSeconds(windows.softMs - (lifeMs - leftMs))
    times = { expiresAt: epochSeconds(leftMs), renewAt, lastFetchedAt: fetchedAt, scopes }
    warnings = record.warnings
  }
  const failed = entry.failed
  const failure = grant?.signedOut
    ? { ...grant.signedOut, at: failed?.at ?? Math.floor(nowMs() / 1000) }
    : gate
      ? { ...gate.failure, at: gate.at }
      : failed && { ...failed.outcome.failure, at: failed.at }
  const waitMs = gate ? Math.max(0, gate.waitMs) : undefined
  return {
    name: target.connection.name,
    state: stateOf(phase, entry, gate, grant),
    ...times,
    ...(waitMs !== undefined && { nextAttemptAt: Math.ceil((nowMs() + waitMs) / 1000) }),
    ...(failure && { lastFailure: failure }),
    warnings,
    ...counts,
  }
}

function stateOf(
  phase: ReturnType<typeof phaseOf>,
  entry: CacheEntry,
  gate: Gate | undefined,
  grant: StoredGrant | undefined,
): ConnectionStatus['state'] {
  if (phase !== 'expired') return phase
  if (grant?.signedOut) return 'signed-out'
  const failure = gate?.failure ?? entry.failed?.outcome.failure
  if (failure?.kind === 'sign-in') return 'signed-out'
  if (gate) return 'open'
  return entry.sinceFence + entry.sinceLocalFence === 0 && !entry.failed ? 'idle' : 'expired'
}

async function lookWithoutFail(
  store: TokenStore,
  { token, client, grant }: CacheEntry['keys'],
): Promise<{ readonly known?: Known; readonly grant?: StoredGrant }> {
  try {
    const [known, stored] = await Promise.all([
      store.look(token, [client, token]),
      grant === undefined ? undefined : store.readGrant(grant),
    ])
    return { known, ...(stored && { grant: stored }) }
  } catch {
    return {}
  }
}

function worstGate(known: Known | undefined, credential: string): Gate | undefined {
  const gates = [...(known?.gates.values() ?? [])].filter((gate) => gate.credential === credential)
  return gates.sort((a, b) => b.waitMs - a.waitMs)[0]
}
