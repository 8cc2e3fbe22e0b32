import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** A route served on Node's own objects, for bytes that are piped and for oidc-provider. */
export interface NodeRoute {
  /** `/oauth/*` for it and all below, anything else for that path only. */
  readonly path: string
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void
  /** Takes WebSocket handshakes; without it they are ordinary requests. */
  readonly upgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /**
   * Bodies are passed on as they come, and may be large: they must keep coming at some pace instead
   * of being whole in time; and who sends `Expect: 100-continue` waits for the route to say so.
   */
  readonly streams?: boolean
}

export interface FittingRoute extends NodeRoute {
  fits(path: string): boolean
}

/** A request looks here for its route; a list that a function gives is compiled once. */
export function currentRoutes(
  routes: readonly NodeRoute[] | (() => readonly NodeRoute[]),
): () => readonly FittingRoute[] {
  if (typeof routes !== 'function') {
    const compiled = routes.map(compileRoute)
    return () => compiled
  }
  let given: readonly NodeRoute[] | undefined
  let compiled: readonly FittingRoute[] = []
  return () => {
    const now = routes()
    if (now !== given) {
      given = now
      compiled = now.map(compileRoute)
    }
    return compiled
  }
}

function compileRoute(route: NodeRoute): FittingRoute {
  return { ...route, fits: pathTest(route.path) }
}

/** `/oauth/*` fits it and all below, anything else that path only. */
export function pathTest(pattern: string): (path: string) => boolean {
  const below = pattern.endsWith('/*') ? pattern.slice(0, -1) : undefined
  const exact = below === undefined ? pattern : below.slice(0, -1)
  return (path) => path === exact || (below !== undefined && path.startsWith(below))
}

/** Without the query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}
