import { createHash } from 'node:crypto'
import type { SignKeys } from './store/create-sign-keys.ts'

/** How long whoever verifies may hold a key set: shorter than a next key waits before it signs. */
const MAX_AGE_SECONDS = 300

/** `/keys/<name>/jwks.json` below a base address. */
export function jwksPath(name: string): string {
  return `/keys/${name}/jwks.json`
}

/**
 * Answers `GET /keys/<name>/jwks.json` with the public keys of the set: current, next and retired.
 * For everybody, with CORS: a key set is there to be read.
 *
 * @see [RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517.html#section-5), SMART 2.2 on `jwks_uri`
 */
export function createKeySetHandler(
  keys: Pick<SignKeys, 'jwks'>,
): (request: Request) => Promise<Response> {
  const pattern = new URLPattern({ pathname: '{/*}?/keys/:name/jwks.json' })
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return new Response(null, { status: 405, headers: { Allow: 'GET, HEAD' } })
    }
    const name = pattern.exec(request.url)?.pathname.groups.name
    const jwks = name === undefined ? undefined : await keys.jwks(name)
    if (jwks === undefined) {
      const problem = { title: 'Not Found', status: 404, detail: 'no such key set' }
      const headers = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' }
      return new Response(`${JSON.stringify(problem)}\n`, { status: 404, headers })
    }
    const body = JSON.stringify(jwks)
    const etag = `"${createHash('sha256').update(body).digest('base64url')}"`
    const headers = {
      'Content-Type': 'application/jwk-set+json',
      'Cache-Control': `public, max-age=${MAX_AGE_SECONDS}`,
      'Access-Control-Allow-Origin': '*',
      'X-Content-Type-Options': 'nosniff',
      ETag: etag,
    }
    if (request.headers.get('if-none-match') === etag) {
      return new Response(null, { status: 304, headers })
    }
    return new Response(request.method === 'HEAD' ? null : body, { headers })
  }
}
