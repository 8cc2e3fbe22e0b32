/** What browsers of other origins may do. */
export interface CorsPolicy {
  /** `'*'` when credentials travel only in `Authorization`; else the exact origins. */
  readonly origins: '*' | readonly string[]
  readonly methods: readonly string[]
  readonly requestHeaders: readonly string[]
  readonly exposedHeaders: readonly string[]
  /** How long a browser may keep a preflight, in seconds. */
  readonly maxAgeSeconds: number
}

/**
 * The headers that let the origin of `request` read the answer; empty when it has none or may not.
 * Cookies are never allowed across origins.
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function corsHeaders(request: Request, policy: CorsPolicy): Record<string, string> {
  const origin = request.headers.get('origin')
  if (origin === null) return {}
  const allowed = allowedOrigin(origin, policy)
  if (allowed === undefined) return {}
  return {
    'Access-Control-Allow-Origin': allowed,
    'Access-Control-Expose-Headers': policy.exposedHeaders.join(', '),
  }
}

/**
 * The answer to `OPTIONS`: 204, with what may be asked when the origin may ask at all.
 * @param allow the methods of this address, for the `Allow` header
 */
export function preflight(
  request: Request,
  policy: CorsPolicy,
  allow: readonly string[],
): Response {
  const headers: Record<string, string> = { Allow: allow.join(', '), Vary: 'Origin' }
  const origin = request.headers.get('origin')
  const allowed = origin === null ? undefined : allowedOrigin(origin, policy)
  if (allowed !== undefined) {
    headers['Access-Control-Allow-Origin'] = allowed
    headers['Access-Control-Allow-Methods'] = policy.methods.join(', ')
    headers['Access-Control-Allow-Headers'] = policy.requestHeaders.join(', ')
    headers['Access-Control-Expose-Headers'] = policy.exposedHeaders.join(', ')
    headers['Access-Control-Max-Age'] = String(policy.maxAgeSeconds)
  }
  return new Response(null, { status: 204, headers })
}

function allowedOrigin(origin: string, policy: CorsPolicy): string | undefined {
  if (policy.origins === '*') return '*'
  return policy.origins.includes(origin) ? origin : undefined
}
