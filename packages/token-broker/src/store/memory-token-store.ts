import type { TokenFailure } from '@scopegate/oauth-model'
import type {
  Gate,
  GrantRecord,
  ShutGate,
  StoredGrant,
  TokenRecord,
  TokenStore,
} from './token-store.ts'

export interface MemoryTokenStoreOptions {
  /** Milliseconds that never go back. Default: the monotonic clock. */
  readonly monotonicMs?: () => number
  /** Tokens at most; those not used for longest go first. Refresh tokens are never dropped. */
  readonly maxTokens?: number
}

interface TokenRow {
  readonly fence: number
  readonly grantKey: string | undefined
  readonly record: TokenRecord
  readonly endsMs: number
}

interface GrantRow {
  readonly connection: string
  readonly record: GrantRecord
  readonly generation: number
  readonly usedFence?: number
  readonly usedMs: number
  readonly signedOut?: TokenFailure
}

/** For one process: everything is gone when it ends. */
export function createMemoryTokenStore(options: MemoryTokenStoreOptions = {}): TokenStore {
  const { monotonicMs = () => performance.now(), maxTokens = 10_000 } = options
  const tokens = new Map<string, TokenRow>()
  const leases = new Map<string, { fence: number; untilMs: number; durationMs: number }>()
  const gates = new Map<string, { connection: string; gate: ShutGate; untilMs: number }>()
  const grants = new Map<string, GrantRow>()
  let lastFence = 0

  function storedGrant(key: string, row: GrantRow): StoredGrant {
    const { record, generation, usedFence, usedMs, signedOut } = row
    return {
      ...{ key, record, generation, idleMs: monotonicMs() - usedMs },
      ...(usedFence !== undefined && { usedFence }),
      ...(signedOut !== undefined && { signedOut }),
    }
  }

  /** Changes a grant if it is still as expected. */
  function changeGrant(
    key: string,
    isExpected: (row: GrantRow) => boolean,
    change: (row: GrantRow) => GrantRow,
  ): boolean {
    const row = grants.get(key)
    if (row === undefined || !isExpected(row)) return false
    grants.set(key, change(row))
    return true
  }

  return {
    async look(tokenKey, gateKeys) {
      const row = tokens.get(tokenKey)
      const leftMs = row === undefined ? 0 : row.endsMs - monotonicMs()
      const found = new Map<string, Gate>()
      for (const key of gateKeys) {
        const kept = gates.get(key)
        if (kept) found.set(key, { ...kept.gate, waitMs: kept.untilMs - monotonicMs() })
      }
      if (row === undefined || leftMs <= 0) return { gates: found }
      touch(tokens, tokenKey, row)
      return { token: { fence: row.fence, record: row.record, leftMs }, gates: found }
    },

    async acquire({ key, durationMs, stuckFence }) {
      const current = leases.get(key)
      const isTaken = current !== undefined && current.untilMs > monotonicMs()
      if (isTaken && current.fence !== stuckFence) {
        return { kind: 'busy', fence: current.fence, durationMs: current.durationMs }
      }
      lastFence += 1
      leases.set(key, { fence: lastFence, untilMs: monotonicMs() + durationMs, durationMs })
      return { kind: 'held', fence: lastFence }
    },

    async release({ key, fence }) {
      if (leases.get(key)?.fence === fence) leases.delete(key)
    },

    async saveToken({ lease, tokenKey, record, leftMs, grant }) {
      const token = leases.get(lease.key)?.fence === lease.fence
      if (token) {
        leases.delete(lease.key)
        touch(tokens, tokenKey, {
          ...{ fence: lease.fence, grantKey: grant?.key, record },
          endsMs: monotonicMs() + leftMs,
        })
        evict(tokens, maxTokens)
      }
      const kept =
        grant !== undefined &&
        changeGrant(
          grant.key,
          (row) => row.usedFence === lease.fence,
          ({ connection, generation }) => ({
            ...{ connection, record: grant.record, usedMs: monotonicMs() },
            generation: generation + 1,
          }),
        )
      return { token, grant: kept }
    },

    async discardToken(tokenKey, fence) {
      if (tokens.get(tokenKey)?.fence === fence) tokens.delete(tokenKey)
    },

    async passGates(gateKeys, holdMs) {
      const shut = gateKeys.map((key) => gates.get(key)).filter((gate) => gate !== undefined)
      if (shut.some(({ untilMs }) => untilMs > monotonicMs())) return false
      for (const gate of shut) gate.untilMs = monotonicMs() + holdMs
      return true
    },

    async shutGate(key, connection, gate) {
      touch(gates, key, { connection, gate, untilMs: monotonicMs() + gate.waitMs })
      evict(gates, maxTokens)
    },

    async openGates({ keys, connection }) {
      for (const key of keys) gates.delete(key)
      if (connection === undefined) return
      for (const [key, gate] of gates) if (gate.connection === connection) gates.delete(key)
    },

    async readGrant(key) {
      const row = grants.get(key)
      return row && storedGrant(key, row)
    },

    async writeGrant(key, connection, record) {
      const generation = (grants.get(key)?.generation ?? 0) + 1
      grants.set(key, { connection, record, generation, usedMs: monotonicMs() })
      for (const [tokenKey, row] of tokens) if (row.grantKey === key) tokens.delete(tokenKey)
    },

    async markGrant(key, generation, fence) {
      return changeGrant(
        key,
        (row) => row.generation === generation && row.signedOut === undefined,
        (row) => ({ ...row, usedFence: fence }),
      )
    },

    async unmarkGrant(key, fence) {
      changeGrant(key, (row) => row.usedFence === fence, withoutMarks)
    },

    async signOutGrant(key, generation, failure) {
      changeGrant(
        key,
        (row) => row.generation === generation,
        (row) => ({ ...withoutMarks(row), ...usedFenceOf(row), signedOut: failure }),
      )
    },

    async reviveGrants(connection) {
      for (const [key, row] of grants) {
        if (row.connection === connection) grants.set(key, withoutMarks(row))
      }
    },

    async prune() {
      const now = monotonicMs()
      for (const [key, { endsMs }] of tokens) if (endsMs <= now) tokens.delete(key)
      for (const [key, { untilMs }] of leases) if (untilMs <= now) leases.delete(key)
    },
  }
}

function withoutMarks({ connection, record, generation, usedMs }: GrantRow): GrantRow {
  return { connection, record, generation, usedMs }
}

/** Kept beside a sign-out: whoever used it may still bring what came back. */
function usedFenceOf({ usedFence }: GrantRow): Pick<GrantRow, 'usedFence'> {
  return usedFence === undefined ? {} : { usedFence }
}

/** Puts it at the end of those to be dropped. */
function touch<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key)
  map.set(key, value)
}

function evict(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return
    map.delete(key)
  }
}
