import { isLoopback } from '@scopegate/http'
import { type OwnListener, ownListener } from './own-listener.ts'
import type { ReferenceReader } from './reference-reader.ts'
import type { Settings } from './settings.ts'

/** Where the sidecar listens, and who can reach it there. */
export type SidecarPlace =
  /** Beside everything else. */
  | { readonly kind: 'main'; readonly reach: 'loopback' }
  | ({ readonly kind: 'own' } & OwnListener)
  /** Nowhere: the main listener can be reached from elsewhere, and it has none of its own. */
  | { readonly kind: 'none' }

/**
 * The main listener is for it only if nobody but this machine reaches it: on loopback, by a URL of
 * loopback, and without a declared proxy, behind which everybody would be local.
 */
export function sidecarPlace(
  settings: Pick<Settings, 'server' | 'sidecar'>,
  listen: { readonly host: string; readonly port: number },
): SidecarPlace {
  const { server, sidecar } = settings
  const own = ownListener(sidecar.listen)
  if (own !== undefined) return { kind: 'own', ...own }
  const isLocal =
    isLoopback(listen.host) &&
    isLoopback(new URL(server.url).hostname) &&
    !server.behindTlsProxy &&
    server.trustedProxies.length === 0
  return isLocal ? { kind: 'main', reach: 'loopback' } : { kind: 'none' }
}

/** Reports what keeps connections from being served, or would send tokens in the clear. */
export function checkSidecar(
  settings: Settings,
  listen: { readonly host: string; readonly port: number },
  reader: ReferenceReader,
): void {
  const { server, sidecar, connections } = settings
  const place = sidecarPlace(settings, listen)
  if (place.kind === 'own') {
    if (place.reach === 'network' && !server.tls && !server.behindTlsProxy) {
      reader.complain(['sidecar', 'listen'], 'plain http would be served off loopback', {
        fix: 'listen on 127.0.0.1, or give `server.tls`, which serves it too',
      })
    }
    if (place.port === listen.port && place.port !== 0) {
      reader.complain(['sidecar', 'listen'], 'the port of `server` itself', {
        fix: 'choose another port, such as 8079',
      })
    }
  }
  for (const [index, { upstream }] of connections.entries()) {
    if (upstream === undefined) continue
    const at = ['connections', index, 'upstream'] as const
    if (place.kind === 'none') {
      reader.complain(at, 'nothing serves `/out`: this server can be reached from elsewhere', {
        fix: 'give the sidecar an address of its own: `sidecar: { listen: 127.0.0.1:8079 }`',
      })
    }
    const { protocol, hostname, search, hash } = new URL(upstream)
    if (search !== '' || hash !== '') {
      reader.complain(at, 'a URL with a query or fragment', { fix: 'write the base URL alone' })
    }
    if (
      protocol === 'http:' &&
      !isLoopback(hostname) &&
      !sidecar.plainHttpHosts.includes(hostname)
    ) {
      reader.complain(at, 'the token would travel in the clear', {
        fix: `use https; or, in a network that you trust, list \`${hostname}\` under \`sidecar.plainHttpHosts\``,
      })
    }
  }
}
