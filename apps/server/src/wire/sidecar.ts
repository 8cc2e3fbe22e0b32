import type { CountFailure, NodeRoute } from '@scopegate/http'
import type { TokenSource, TokenVerifier } from '@scopegate/oauth-model'
import {
  type Connection,
  createSidecar,
  decideProxy,
  SIDECAR_PATH,
  type SidecarConnection,
} from '@scopegate/token-broker'
import type { ConfiguredConnection } from '../config/configured-connection.ts'
import { type SidecarPlace, sidecarPlace } from '../config/sidecar-place.ts'
import type { Config } from '../config.ts'
import type { Environment } from '../environment.ts'
import type { Logger } from '../operations/logger.ts'
import type { Metrics } from '../operations/metrics.ts'
import type { Audits } from './audits.ts'

export interface WireSidecarDeps {
  readonly config: Config
  readonly tokens: TokenSource
  /** Compiled. */
  readonly connections: readonly Connection[]
  readonly verifier: TokenVerifier
  /** Where HTTPS_PROXY and NO_PROXY are read. */
  readonly environment: Environment
  readonly audits: Pick<Audits, 'traces' | 'accessAudit'>
  readonly metrics: Metrics
  readonly log: Logger
  readonly nowMs: () => number
  readonly countFailure: CountFailure
}

export interface WiredSidecar {
  readonly routes: readonly NodeRoute[]
  /** Where each connection is reached. */
  readonly endpoints: readonly { readonly name: string; readonly url: string }[]
  /** Not served by the main listener. */
  readonly hasOwnListener: boolean
  close(): Promise<void>
}

/** `/out/<connection>` for the connections with an `upstream`; `undefined` where there are none. */
export function wireSidecar(deps: WireSidecarDeps): WiredSidecar | undefined {
  const { config, tokens, verifier, audits, metrics, log, nowMs } = deps
  const { settings, url } = config
  const place = sidecarPlace(settings, config.listen)
  const served = config.connections.flatMap((each) => sidecarConnections(each, deps))
  if (place.kind === 'none' || served.length === 0) return undefined
  const sidecar = createSidecar({
    ...{ tokens, url, verifier, nowMs, reach: place.reach },
    connections: served,
    countFailure: deps.countFailure,
    callersOnLoopback: settings.sidecar.callersOnLoopback,
    traces: audits.traces,
    audit: audits.accessAudit,
    onError: (error, correlationId) => log.warn({ error, correlationId }, 'sidecar request failed'),
    onAnswered: ({ method }, status, seconds) =>
      metrics.countRequest('out', method ?? '', status, seconds),
  })
  return {
    routes: sidecar.routes.map((path) => ({
      ...{ path, handle: sidecar.node, upgrade: sidecar.upgrade, streams: true },
    })),
    endpoints: served.map(({ name }) => ({
      name: `connection ${name}`,
      url: `${baseOf(place, config)}${SIDECAR_PATH}/${name}`,
    })),
    hasOwnListener: place.kind === 'own',
    close: () => sidecar.close(),
  }
}

function baseOf(place: Exclude<SidecarPlace, { kind: 'none' }>, { url, settings }: Config): string {
  if (place.kind === 'main') return url
  const { host, port, reach } = place
  const scheme = reach === 'network' && settings.server.tls ? 'https' : 'http'
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function sidecarConnections(
  { name, upstream, paths, methods, cookies }: ConfiguredConnection,
  { config, connections, environment }: WireSidecarDeps,
): readonly SidecarConnection[] {
  const connection = connections.find((each) => each.name === name)
  if (upstream === undefined || connection === undefined) return []
  const { preset, clientId, callers, transport } = connection
  const { timeoutSeconds, replayBytes, connectionsPerUpstream } = config.settings.sidecar
  const timeoutMs = timeoutSeconds * 1000
  const proxy = decideProxy(new URL(upstream), transport.proxy, environment).url
  return [
    {
      ...{ name, preset, clientId, upstream, paths, methods, cookies, callers, replayBytes },
      limits: {
        connections: connectionsPerUpstream,
        headersTimeoutMs: timeoutMs,
        bodyTimeoutMs: timeoutMs,
      },
      transport: {
        ...(transport.ca !== undefined && { ca: transport.ca }),
        ...(proxy !== undefined && { proxy }),
      },
    },
  ]
}
