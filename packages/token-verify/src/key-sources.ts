import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { createDiscovery, type DiscoveryOptions } from './discovery.ts'
import { type KeySource, KeysUnavailable, type VerificationKey } from './key-source.ts'
import { keysFor, parseKeySet } from './parse-key-set.ts'
import { createRemoteKeySet, type RemoteKeySetOptions } from './remote-key-set.ts'

type RemoteOptions = Omit<RemoteKeySetOptions, 'url'>

// Keycloak says `no-cache` of its keys: taken literally, every token would fetch them.
const ISSUER_DEFAULTS = { defaultSeconds: 600, minSeconds: 30, staleSeconds: 3600 }

/** The keys of an issuer whose key set has a known URL. Serves an hour through an outage. */
export function keysFromUrl(url: string, options: RemoteOptions): KeySource {
  return createRemoteKeySet({ ...ISSUER_DEFAULTS, ...options, url })
}

/**
 * The keys of an issuer, found by its discovery document; `about` where its names differ.
 *
 * @see OpenID Connect Discovery 1.0 §4; RFC 8414 §3
 */
export function keysFromDiscovery(
  issuer: string,
  options: RemoteOptions,
  about: Pick<DiscoveryOptions, 'aliases' | 'backchannelUrl' | 'url'> = {},
): KeySource {
  const discovery = createDiscovery({ ...about, issuer, network: options.network })
  const url = () => discovery.find('jwks_uri')
  return createRemoteKeySet({ ...ISSUER_DEFAULTS, ...options, url })
}

/** The keys of an issuer in a file (a JWK Set). A changed file is read again within seconds. */
export function keysFromFile(path: string, options: { readonly nowMs: () => number }): KeySource {
  let keys: readonly VerificationKey[] = []
  let modifiedMs = Number.NaN
  let lookedAtMs = Number.NEGATIVE_INFINITY
  let isLooking = false

  async function current(): Promise<readonly VerificationKey[]> {
    if (options.nowMs() - lookedAtMs < 2000) return keys
    const problem = (why: string, cause?: unknown) =>
      new KeysUnavailable(`key file \`${path}\` could not be read: ${why}`, { cause })
    try {
      const { mtimeMs } = await stat(path)
      if (mtimeMs !== modifiedMs) {
        const parsed = parseKeySet(JSON.parse(await readFile(path, 'utf8')))
        if (!parsed.ok) throw problem(parsed.problem)
        keys = parsed.keys
        modifiedMs = mtimeMs
      }
      lookedAtMs = options.nowMs()
      return keys
    } catch (error) {
      if (error instanceof KeysUnavailable) throw error
      const code = (error as NodeJS.ErrnoException).code
      throw problem(code === 'ENOENT' ? 'it does not exist' : (error as Error).message, error)
    }
  }

  return {
    find: async (alg, kid) => keysFor(await current(), alg, kid),
    holds(key) {
      // Looks meanwhile: tokens that are verified already must not keep a removed key alive.
      if (!isLooking) {
        isLooking = true
        current()
          .catch(() => undefined)
          .finally(() => {
            isLooking = false
          })
      }
      return keys.includes(key)
    },
    // Callers read this in the fix of `key_unknown`: the name, never where the file lies.
    description: `file ${basename(path)}`,
  }
}

/** Keys that are known already. @throws {TypeError} if the set is not usable. */
export function keysFromSet(set: unknown, description = 'a fixed key set'): KeySource {
  const parsed = parseKeySet(set)
  if (!parsed.ok) throw new TypeError(parsed.problem)
  return {
    find: async (alg, kid) => keysFor(parsed.keys, alg, kid),
    holds: (key) => parsed.keys.includes(key),
    description,
  }
}
