import { getCACertificates } from 'node:tls'
import { type Dispatcher, Pool, ProxyAgent } from 'undici'
import { type Breaker, createBreaker } from './breaker.ts'
import type { UpstreamLimits } from './limits.ts'
import { Uploads } from './uploads.ts'

/** How the upstream is reached, where that is not by the trust and the routes of the system. */
export interface UpstreamTransport {
  /** PEM, added to what the system trusts. */
  readonly ca?: string
  /** `http://proxy:3128`; the connection through it is a tunnel. */
  readonly proxy?: string
  /** For mutual TLS: PEM. */
  readonly certificate?: { readonly certificate: string; readonly key: string }
}

export interface UpstreamOptions {
  /** Scheme, host and port. Nothing that comes in a request changes them. */
  readonly origin: string
  readonly limits: UpstreamLimits
  readonly nowMs: () => number
  readonly transport?: UpstreamTransport
}

/** The connections to one server behind us, and how it fares. */
export interface Upstream {
  readonly origin: string
  readonly limits: UpstreamLimits
  readonly dispatcher: Dispatcher
  readonly breaker: Breaker
  /** Requests whose bodies still come. */
  readonly uploads: Uploads
  /** Requests that run or wait for a connection. */
  active: number
  /** More than that many are turned away. */
  readonly maxActive: number
  close(): Promise<void>
}

/** Why nothing is sent at the moment, and for how long. */
export interface NotNow {
  readonly kind: 'busy' | 'paused'
  readonly seconds: number
}

/** Node servers close an idle connection after 5 s; who writes to it at that moment loses. */
const KEEP_ALIVE_MS = 4000

/**
 * Opens nothing yet. Whoever has the same server behind it has connections of its own: one cannot
 * starve the other.
 */
export function createUpstream(options: UpstreamOptions): Upstream {
  const { origin, limits, nowMs, transport = {} } = options
  const dispatcher = dispatcherFor(origin, limits, transport)
  return {
    ...{ origin, limits, dispatcher },
    breaker: createBreaker(limits.breakerFailures, limits.breakerMs, nowMs),
    uploads: new Uploads(limits, nowMs),
    active: 0,
    maxActive: limits.connections + limits.queued,
    close: () => dispatcher.destroy(),
  }
}

/** `undefined`: go on. After that the request must be sent, or the breaker waits in vain. */
export function notNow({ active, maxActive, breaker }: Upstream): NotNow | undefined {
  if (active >= maxActive) return { kind: 'busy', seconds: 1 }
  const pausedMs = breaker.pausedMs()
  if (pausedMs === undefined) return undefined
  return { kind: 'paused', seconds: Math.max(1, Math.ceil(pausedMs / 1000)) }
}

function dispatcherFor(
  origin: string,
  limits: UpstreamLimits,
  { ca, proxy, certificate }: UpstreamTransport,
): Dispatcher {
  const tls = {
    ...(ca !== undefined && { ca: [...getCACertificates('default'), ca] }),
    ...(certificate && { cert: certificate.certificate, key: certificate.key }),
  }
  const common = {
    connections: limits.connections,
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: 600_000,
    headersTimeout: limits.headersTimeoutMs,
    bodyTimeout: limits.bodyTimeoutMs,
    maxHeaderSize: 64 * 1024,
    allowH2: false,
  }
  const timeout = limits.connectTimeoutMs
  if (proxy === undefined) return new Pool(origin, { ...common, connect: { ...tls, timeout } })
  return new ProxyAgent({
    ...{ ...common, uri: proxy, proxyTunnel: true },
    requestTls: { ...tls, timeout },
  })
}
