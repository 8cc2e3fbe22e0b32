import { createNodeServer, type NodeServer, problemResponse } from '@scopegate/http'
import { sidecarPlace } from './config/sidecar-place.ts'
import type { Config } from './config.ts'
import type { Logger } from './operations/logger.ts'
import type { Serving } from './reload/follow-configuration.ts'

/**
 * The listener of the sidecar where it has one of its own; `undefined` where it has not. On loopback
 * without TLS; elsewhere with that of the server.
 */
export function createSidecarServer(
  config: Config,
  tls: Config['tls'],
  serving: Serving,
  log: Logger,
): NodeServer | undefined {
  const place = sidecarPlace(config.settings, config.listen)
  if (place.kind !== 'own') return undefined
  const { host, port, reach } = place
  const { behindTlsProxy, drainSeconds } = config.settings.server
  return createNodeServer({
    ...{ host, port },
    handler: async (request) =>
      problemResponse(request, {
        status: 404,
        detail: 'there is nothing here but /out/<connection>',
      }),
    nodeRoutes: () => serving.served.sidecarRoutes,
    ...(reach === 'network' && tls && { tls: { cert: tls.cert, key: tls.key } }),
    behindTlsProxy: reach === 'network' && behindTlsProxy,
    strictTransport: false,
    // Large bodies take their time; they must keep coming.
    requestTimeoutMs: 0,
    drainMs: drainSeconds * 1000,
    onError: (error) => log.error({ error }, 'sidecar connection failed'),
    onFault: ({ status, detail, correlationId }, method) =>
      log.info({ correlationId, method, status, detail }, 'sidecar request that cannot be routed'),
  })
}
