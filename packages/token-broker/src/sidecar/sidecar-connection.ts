import {
  createTokenMemory,
  createUpstream,
  REFLECTING_METHODS,
  type TokenMemory,
  UPSTREAM_LIMITS,
  type Upstream,
  type UpstreamLimits,
  type UpstreamTransport,
} from '@scopegate/upstream'
import { type AllowedPaths, allowPaths } from './allowed-paths.ts'

/** Where the sidecar is mounted. */
export const SIDECAR_PATH = '/out'

/** Where `/out/<connection>` leads, and for whom. */
export interface SidecarConnection {
  readonly name: string
  /** Decides the words of explanations. */
  readonly preset: string
  /** The client that this server is at the provider; for explanations. */
  readonly clientId?: string
  /** Base URL. Nothing that comes in a request leads elsewhere. */
  readonly upstream: string
  /** Below the upstream: `/Patient/*`, `/metadata`; missing or empty: everything below it. */
  readonly paths?: readonly string[]
  /** Upper case; missing or empty: those of {@link DEFAULT_METHODS}. */
  readonly methods?: readonly string[]
  /** Clients whose tokens open it where callers authenticate themselves. */
  readonly callers: readonly string[]
  /** Whether cookies go through, both ways. Default `strip`. */
  readonly cookies?: 'strip' | 'keep'
  readonly limits?: Partial<UpstreamLimits>
  /** A body up to here is kept, to be sent again after 401. Default 1 MiB. */
  readonly replayBytes?: number
  readonly transport?: UpstreamTransport
}

export const DEFAULT_METHODS: readonly string[] = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
]

const LIMITS: UpstreamLimits = {
  ...UPSTREAM_LIMITS,
  bodyBytes: Number.MAX_SAFE_INTEGER,
  connections: 64,
  headersTimeoutMs: 300_000,
  bodyTimeoutMs: 300_000,
}

/** A connection with what it takes to pass requests on. */
export interface Route {
  readonly connection: SidecarConnection
  /** `/out/lab` */
  readonly mount: string
  /** The audience of callers' tokens. */
  readonly resource: string
  readonly upstream: Upstream
  /** Before the path of a request; `''` for nothing. */
  readonly basePath: string
  readonly paths: AllowedPaths
  readonly methods: ReadonlySet<string>
  readonly callers: ReadonlySet<string>
  readonly replayBytes: number
  readonly memory: TokenMemory
}

export function createRoute(
  connection: SidecarConnection,
  { prefix, url, nowMs }: { prefix: string; url: string; nowMs: () => number },
): Route {
  const { name, methods = [], paths = [], callers, limits, transport } = connection
  const base = new URL(connection.upstream)
  const mount = `${prefix}/${name}`
  const allowed = methods.length === 0 ? DEFAULT_METHODS : methods
  return {
    connection,
    mount,
    resource: `${url}${mount}`,
    upstream: createUpstream({
      origin: base.origin,
      limits: { ...LIMITS, ...limits },
      nowMs,
      ...(transport && { transport }),
    }),
    basePath: base.pathname.replace(/\/+$/, ''),
    paths: allowPaths(paths),
    methods: new Set(allowed.filter((method) => !REFLECTING_METHODS.has(method))),
    callers: new Set(callers),
    replayBytes: connection.replayBytes ?? 1024 * 1024,
    memory: createTokenMemory(),
  }
}
