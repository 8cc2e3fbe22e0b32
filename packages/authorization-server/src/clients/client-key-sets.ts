import type { JsonWebKey } from 'node:crypto'
import {
  createRemoteKeySet,
  type NetworkPolicy,
  type RemoteKeySet,
  type VerificationKey,
} from '@scopegate/token-verify'

/** The key sets that clients publish at a URL. */
export interface ClientKeySets {
  /**
   * The set, looked up again at a bounded rate if it does not hold the key that the assertion
   * names. @throws {KeysUnavailable}
   */
  resolve(
    url: string,
    wanted: { readonly alg: string; readonly kid: string | undefined },
  ): Promise<{ readonly keys: readonly JsonWebKey[] }>
}

export interface ClientKeySetsOptions {
  readonly network: NetworkPolicy
  readonly nowMs: () => number
  readonly refetchSeconds?: number
}

const MAX_SETS = 5000

/**
 * Our own resolver, since the engine's keeps a set for at least a minute, does not look again for
 * an unknown key, and forgets the sets of all but the last two hundred clients.
 */
export function createClientKeySets(options: ClientKeySetsOptions): ClientKeySets {
  const sets = new Map<string, RemoteKeySet>()
  const exported = new WeakMap<VerificationKey, JsonWebKey>()

  function setOf(url: string): RemoteKeySet {
    const known = sets.get(url)
    if (known !== undefined) return known
    // SMART: never longer than the client's Cache-Control says; a minute where it says nothing.
    const made = createRemoteKeySet({ ...options, url, defaultSeconds: 60, staleSeconds: 0 })
    sets.set(url, made)
    if (sets.size > MAX_SETS) sets.delete(sets.keys().next().value as string)
    return made
  }

  function jwkOf(key: VerificationKey): JsonWebKey {
    const known = exported.get(key)
    if (known !== undefined) return known
    const { kid, alg } = key
    const jwk = {
      ...key.key.export({ format: 'jwk' }),
      use: 'sig',
      ...(kid === undefined ? {} : { kid }),
      ...(alg === undefined ? {} : { alg }),
    }
    exported.set(key, jwk)
    return jwk
  }

  return {
    async resolve(url, { alg, kid }) {
      const set = setOf(url)
      if (kid !== undefined) await set.find(alg, kid)
      return { keys: (await set.current()).map(jwkOf) }
    },
  }
}
