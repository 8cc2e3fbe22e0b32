import { isLoopbackHost, type NetworkPolicy, refuseUrl } from '@scopegate/token-verify'
import type { Configuration } from 'oidc-provider'

/**
 * How the engine tells clients of a logout. Its own guard keeps it from every private address; what
 * the operator allows beyond that is let through here.
 */
export function createOutgoingFetch(network: NetworkPolicy): NonNullable<Configuration['fetch']> {
  const isAllowed = (host: string) =>
    (network.allowLoopback && isLoopbackHost(host)) ||
    network.allowPrivateHosts === 'any' ||
    network.allowPrivateHosts.includes(host)

  return async (url, options) => {
    const target = new URL(url instanceof Request ? url.url : url)
    const refused = refuseUrl(target, network)
    if (refused !== undefined) throw new Error(`${target.origin}: ${refused}`)
    const { dispatcher: _, ...unguarded } = options as RequestInit & { dispatcher?: unknown }
    return fetch(target, isAllowed(target.hostname) ? unguarded : options)
  }
}
