import type { Connection } from '../connection.ts'
import type { TokenStore } from '../store/token-store.ts'
import type { Sleep } from './token-broker.ts'
import { tokenKeysOf, usesRefreshToken } from './token-keys.ts'

export interface KeepAliveDeps {
  readonly store: TokenStore
  readonly sleep: Sleep
  readonly random: () => number
  readonly signal: AbortSignal
  /** Uses the refresh token, unless somebody has done it meanwhile. */
  readonly use: (connection: Connection, isStillNeeded: () => Promise<boolean>) => Promise<unknown>
}

const SHORTEST_ROUND_MS = 1000
const LONGEST_ROUND_MS = 3_600_000

/**
 * Uses refresh tokens that nobody has used for longer than the connection wants: providers end those
 * that are idle for too long. Resolves when `signal` ends it.
 */
export async function keepGrantsAlive(
  connections: readonly Connection[],
  deps: KeepAliveDeps,
): Promise<void> {
  const { store, sleep, random, signal, use } = deps
  const kept = connections.filter((each) => each.keepAliveSeconds > 0 && usesRefreshToken(each))
  if (kept.length === 0) return
  const shortestMs = Math.min(...kept.map(({ keepAliveSeconds }) => keepAliveSeconds * 1000))
  const roundMs = Math.min(Math.max(shortestMs / 10, SHORTEST_ROUND_MS), LONGEST_ROUND_MS)
  for (;;) {
    try {
      await sleep(roundMs * (0.9 + random() / 5), signal)
    } catch {
      return
    }
    for (const connection of kept) await keepAlive(connection).catch(() => {})
  }

  async function keepAlive(connection: Connection): Promise<void> {
    const limitMs = connection.keepAliveSeconds * 1000
    const { grant: key = '' } = tokenKeysOf({
      ...{ connection, scopes: connection.scopes, audience: connection.audience },
      subject: connection.subject,
    })
    const isIdle = async () => {
      const grant = await store.readGrant(key)
      return grant !== undefined && grant.signedOut === undefined && grant.idleMs >= limitMs
    }
    if (await isIdle()) await use(connection, isIdle)
  }
}
