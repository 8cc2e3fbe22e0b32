import { UPSTREAM_LIMITS } from '@scopegate/upstream'
import type { Api, ApiAuth, ApiForward, ApiLimits, ApiRoute, IdentityField } from './api.ts'
import { compileCors } from './cors.ts'
import { createRouteTable } from './route-table.ts'

/** An API as a configuration declares it; paths and names were checked there. */
export interface ApiDeclaration {
  readonly name: string
  readonly path: string
  readonly upstream: string
  readonly keepPath: boolean
  readonly auth: Omit<ApiAuth, 'audiences'> & { readonly audiences: readonly string[] }
  /** Web origins whose scripts may call it, or `*`. */
  readonly origins?: readonly string[] | undefined
  /** The first that fits is taken. */
  readonly routes: readonly ApiRoute[]
  readonly forward: {
    readonly headers: Readonly<Record<string, IdentityField>>
    readonly jwt?: {
      readonly header: string
      readonly audience?: string | undefined
      readonly seconds: number
    }
    readonly authorization: ApiForward['authorization']
    /** The upstream gets the token of this connection. */
    readonly token?: { readonly connection: string } | undefined
  }
  readonly limits?: Partial<ApiLimits>
}

/**
 * Makes a declaration ready to run. @param serverUrl the public base URL of this server: with the
 * path of the API, an audience that is always accepted.
 */
export function compileApi(declaration: ApiDeclaration, serverUrl: string): Api {
  const { name, path, keepPath, auth, routes, forward, limits } = declaration
  const upstream = new URL(declaration.upstream)
  const url = `${serverUrl}${path}`
  const cors = compileCors(declaration.origins ?? [], routes)
  return {
    ...{ name, path, url, keepPath },
    upstreamOrigin: upstream.origin,
    upstreamPath: upstream.pathname.replace(/\/+$/, ''),
    auth: { ...auth, audiences: [url, ...auth.audiences] },
    ...(cors && { cors }),
    routes: createRouteTable(routes),
    forward: {
      headers: Object.entries(forward.headers),
      authorization: forward.authorization,
      ...(forward.token && { tokenOf: forward.token.connection }),
      ...(forward.jwt && {
        jwt: {
          header: forward.jwt.header,
          audience: forward.jwt.audience ?? name,
          seconds: forward.jwt.seconds,
        },
      }),
    },
    limits: { ...UPSTREAM_LIMITS, ...limits },
  }
}

/** Every scope that an API asks for, once, in the order of its declaration. */
export function scopesOf({
  auth,
  routes,
}: Pick<ApiDeclaration, 'auth' | 'routes'>): readonly string[] {
  const named = routes.flatMap(({ scopes, anyOf = [] }) => [...scopes, ...anyOf.flat()])
  return [...new Set([...auth.requiredScopes, ...named])]
}
