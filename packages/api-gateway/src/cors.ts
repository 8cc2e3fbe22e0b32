import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ApiRoute } from './api.ts'

/** Whose scripts may call an API and read its answers. Cookies never come with such a call. */
export interface ApiCors {
  readonly origins: '*' | ReadonlySet<string>
  /** Of all routes together: a preflight tells nothing of a single one. */
  readonly methods: string
}

/** What answers say of other origins, in lower case. */
export const CORS_HEADERS: ReadonlySet<string> = new Set(
  [
    ...['allow-origin', 'allow-credentials', 'allow-methods', 'allow-headers'],
    ...['allow-private-network', 'expose-headers', 'max-age'],
  ].map((name) => `access-control-${name}`),
)

/** Beside those that every script may read. */
const EXPOSED =
  'Content-Disposition, DPoP-Nonce, ETag, Link, Location, Retry-After, WWW-Authenticate, X-Request-Id'
const PREFLIGHT_SECONDS = 600
const ALL_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const MAX_HEADERS = 1000

/** @param origins as declared; `undefined` where there are none: CORS is the business of the upstream */
export function compileCors(
  origins: readonly string[],
  routes: readonly ApiRoute[],
): ApiCors | undefined {
  if (origins.length === 0) return undefined
  const isAny = routes.some(({ methods }) => methods.length === 0)
  const named = routes.flatMap(({ methods }) =>
    methods.includes('GET') ? [...methods, 'HEAD'] : methods,
  )
  return {
    origins: origins.includes('*') ? '*' : new Set(origins),
    methods: [...new Set(isAny ? ALL_METHODS : named)].sort().join(', '),
  }
}

/** What lets the page that asks read the answer, name and value by turns. @see Fetch, CORS protocol */
export function corsHeadersOf(cors: ApiCors | undefined, request: IncomingMessage): string[] {
  if (cors === undefined) return []
  const allowed = allowedOrigin(cors, request)
  const vary = cors.origins === '*' ? [] : ['Vary', 'Origin']
  if (allowed === undefined) return vary
  return [
    ...['Access-Control-Allow-Origin', allowed],
    ...['Access-Control-Expose-Headers', EXPOSED],
    ...vary,
  ]
}

/**
 * Answers a preflight. It comes before any token and without one, and the answer is the same for every
 * path of the API. @returns whether it was one
 */
export function answerPreflight(
  cors: ApiCors | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { headers, method } = request
  const asked = headers['access-control-request-method']
  if (cors === undefined || method !== 'OPTIONS' || asked === undefined) return false
  const allowed = allowedOrigin(cors, request)
  const wanted = headers['access-control-request-headers']?.slice(0, MAX_HEADERS) ?? ''
  const isNames = /^[A-Za-z0-9-]+(?: *, *[A-Za-z0-9-]+)*$/.test(wanted)
  response.writeHead(204, {
    Vary: 'Origin, Access-Control-Request-Headers',
    ...(allowed !== undefined && {
      'Access-Control-Allow-Origin': allowed,
      'Access-Control-Allow-Methods': cors.methods,
      ...(isNames && { 'Access-Control-Allow-Headers': wanted }),
      'Access-Control-Max-Age': PREFLIGHT_SECONDS,
    }),
  })
  response.end()
  return true
}

function allowedOrigin({ origins }: ApiCors, { headers }: IncomingMessage): string | undefined {
  const { origin } = headers
  if (origin === undefined) return undefined
  if (origins === '*') return '*'
  return origins.has(origin) ? origin : undefined
}
