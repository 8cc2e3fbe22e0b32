import { createNodeServer, type NodeServer } from '@scopegate/http'
import { adminPlace } from './config/admin-place.ts'
import type { Config } from './config.ts'
import type { Logger } from './operations/logger.ts'
import type { Serving } from './reload/follow-configuration.ts'
import { clientCertificatesOf } from './wire/client-certificates.ts'

/**
 * The listener of the admin API where it has one of its own; `undefined` where it has not. On
 * loopback without TLS; elsewhere with that of the server. Callers need a token on any of them.
 */
export function createAdminServer(
  config: Config,
  tls: Config['tls'],
  serving: Serving,
  log: Logger,
  { uploadMs }: { readonly uploadMs: number },
): NodeServer | undefined {
  const place = adminPlace(config.settings)
  if (place.kind !== 'own') return undefined
  const { host, port, reach } = place
  const { server } = config.settings
  const secure = reach === 'network' ? tls : undefined
  const certificates = clientCertificatesOf(server)
  return createNodeServer({
    ...{ host, port },
    handler: (request) => serving.served.adminHandler(request),
    ...(secure && { tls: { cert: secure.cert, key: secure.key } }),
    behindTlsProxy: reach === 'network' && server.behindTlsProxy,
    // The promise would hold for all ports of a host, also of loopback and of a local certificate.
    strictTransport: reach === 'network' && config.localTls === undefined,
    ...(certificates &&
      (certificates.from !== 'tls' || secure) && { clientCertificates: certificates }),
    requestTimeoutMs: uploadMs,
    slowUploads: [`${new URL(serving.parts.adminUrl).pathname}/import`],
    drainMs: server.drainSeconds * 1000,
    onError: (error) => log.error({ error }, 'admin connection failed'),
    onFault: ({ status, detail, correlationId }, method) =>
      log.info({ correlationId, method, status, detail }, 'admin request that cannot be routed'),
  })
}
