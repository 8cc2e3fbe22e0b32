import type { IncomingMessage } from 'node:http'
import { type AnyCheck, failedOutbound } from '@scopegate/checks'
import { correlationIdFrom } from '@scopegate/http'
import type { RequestToken } from '@scopegate/upstream'
import type { SidecarCaller } from './authenticate-caller.ts'
import type { Route } from './sidecar-connection.ts'

/** One request to the sidecar, and what became known of it. */
export interface OutboundCall {
  readonly request: IncomingMessage
  readonly method: string
  readonly route: Route
  /** Below the connection: `/Patient/1`; `/` for the upstream itself. */
  readonly path: string
  /** With its question mark, or empty. */
  readonly query: string
  readonly correlationId: string
  readonly startedAtMs: number
  caller?: SidecarCaller
  /** Of a caller that was refused. */
  claimedClientId?: string
  token?: RequestToken
  checks: readonly AnyCheck[]
}

/** A refusal: the check that failed, and what goes into the answer beside it. */
export interface OutboundRefusal {
  readonly checks: readonly AnyCheck[]
  readonly headers?: Readonly<Record<string, string>>
  /** Members of the problem beside those of the check. */
  readonly problem?: Readonly<Record<string, unknown>>
}

/** @param target canonical, at or below `prefix` */
export function readTarget(
  target: string,
  prefix: string,
): { readonly name: string; readonly path: string; readonly query: string } {
  const mark = target.indexOf('?')
  const whole = mark === -1 ? target : target.slice(0, mark)
  const below = whole.slice(prefix.length + 1)
  const slash = below.indexOf('/')
  const name = slash === -1 ? below : below.slice(0, slash)
  return {
    name,
    path: slash === -1 ? '' : below.slice(slash),
    query: mark === -1 ? '' : target.slice(mark),
  }
}

export function callOf(
  request: IncomingMessage,
  route: Route,
  { path, query }: { readonly path: string; readonly query: string },
  nowMs: () => number,
): OutboundCall {
  const startedAtMs = nowMs()
  return {
    ...{ request, route, path, query, startedAtMs },
    method: request.method!,
    correlationId: correlationIdFrom(request.headers['x-request-id'], startedAtMs),
    checks: [],
  }
}

/** Whether the connection leads there, by method, path and query. */
export function checkRoute({ method, path, query, route }: OutboundCall): AnyCheck {
  const { connection, methods, paths } = route
  if (!methods.has(method)) {
    const expected = [...methods].join(', ')
    return failedOutbound('connection_method_refused', { expected, got: method })
  }
  if (!paths.allows(path === '' ? '/' : path)) {
    return failedOutbound('connection_path_refused', { expected: paths.written.join(', ') })
  }
  if (hasAccessToken(query)) return failedOutbound('credential_in_query')
  return { name: 'route', outcome: 'pass', got: `connection ${connection.name}` }
}

/** What the upstream is asked for. */
export function targetOf({ route, path, query }: OutboundCall): string {
  const target = `${route.basePath}${path}`
  return `${target === '' ? '/' : target}${query}`
}

/** Some servers take names of parameters whatever their case, and `;` between them. */
function hasAccessToken(query: string): boolean {
  if (!/access|%/i.test(query)) return false
  const pairs = new URLSearchParams(query.slice(1).replaceAll(';', '&'))
  return [...pairs.keys()].some((name) => name.toLowerCase() === 'access_token')
}
