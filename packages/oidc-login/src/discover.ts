import {
  allowInsecureRequests,
  type ClientAuth,
  type Configuration,
  clockSkew,
  clockTolerance,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
} from 'openid-client'
import { LoginRefused } from './login-refused.ts'
import { createProviderFetch, type Fetch } from './provider-fetch.ts'
import { refusalOf } from './refusal-of.ts'
import type { ResolvedProvider } from './upstream-provider.ts'

export interface DiscoverOptions {
  readonly provider: ResolvedProvider
  readonly authenticate: ClientAuth
  readonly nowMs: () => number
  readonly fetch: Fetch
  readonly timeoutMs: number
  readonly clockToleranceSeconds: number
}

/** The metadata is asked for again after this. */
const FRESH_MS = 3_600_000
/** While the provider does not answer, old metadata serves this much longer. */
const STALE_MS = 86_400_000
/** An outage is believed for so long before the provider is asked again. */
const OUTAGE_MS = 5000
const MAX_BYTES = 256 * 1024

/**
 * The provider's metadata with our client in it: fetched when first needed, once for many callers at
 * a time, again every hour. ID tokens are verified by their signature too, although they come by TLS:
 * a proxy that ends TLS in between is not uncommon in hospitals.
 *
 * @throws {LoginRefused} `provider_unavailable`, `discovery_mismatch` or `discovery_unusable`.
 * @see OpenID Connect Discovery 1.0 §4.3
 */
export function createDiscovery(options: DiscoverOptions): () => Promise<Configuration> {
  const { provider, nowMs } = options
  const fetchProvider = createProviderFetch({
    issuer: provider.issuer,
    timeoutMs: options.timeoutMs,
    maxBytes: MAX_BYTES,
    fetch: options.fetch,
  })
  let found: { readonly configuration: Configuration; readonly atMs: number } | undefined
  let outage: { readonly error: LoginRefused; readonly atMs: number } | undefined
  let pending: Promise<Configuration> | undefined

  async function load(): Promise<Configuration> {
    try {
      const configuration = await discovery(
        new URL(provider.issuer),
        provider.clientId,
        {
          [clockSkew]: Math.round((nowMs() - Date.now()) / 1000),
          [clockTolerance]: options.clockToleranceSeconds,
        },
        options.authenticate,
        {
          // Its own time limit is a little longer, so that ours tells what was slow.
          timeout: Math.ceil(options.timeoutMs / 1000) + 5,
          [customFetch]: (url, init) => fetchProvider(url, init as unknown as RequestInit),
          execute: [
            enableNonRepudiationChecks,
            // Which addresses may be plain http is judged by `createProviderFetch`.
            ...(provider.issuer.startsWith('http:') ? [allowInsecureRequests] : []),
          ],
        },
      )
      requireEndpoints(configuration, provider)
      found = { configuration, atMs: nowMs() }
      outage = undefined
      return configuration
    } catch (cause) {
      const error = refusalOf(cause, provider, 'discovery')
      if (!(error instanceof LoginRefused)) throw error
      outage = { error, atMs: nowMs() }
      throw error
    }
  }

  return async () => {
    const now = nowMs()
    if (found !== undefined && now - found.atMs < FRESH_MS) return found.configuration
    const usable = found !== undefined && now - found.atMs < STALE_MS ? found : undefined
    if (outage !== undefined && now - outage.atMs < OUTAGE_MS) {
      if (usable !== undefined) return usable.configuration
      throw outage.error
    }
    pending ??= load().finally(() => {
      pending = undefined
    })
    try {
      return await pending
    } catch (error) {
      // A provider that now names another issuer is believed at once; one that is silent is not.
      const silent = error instanceof LoginRefused && error.reason === 'provider_unavailable'
      if (usable !== undefined && silent) return usable.configuration
      throw error
    }
  }
}

function requireEndpoints(configuration: Configuration, provider: ResolvedProvider): void {
  const metadata = configuration.serverMetadata()
  for (const member of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const) {
    const url = URL.parse(metadata[member] ?? '')
    if (url !== null && /^https?:$/.test(url.protocol)) continue
    throw new LoginRefused('discovery_unusable', {
      provider: provider.name,
      expected: `\`${member}\` with a URL`,
      got: metadata[member] === undefined ? 'none' : 'something else',
    })
  }
}
