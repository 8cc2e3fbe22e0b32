import type { ServerResponse } from 'node:http'

const METHODS = 'GET, POST'
const REQUEST_HEADERS = 'Accept, Authorization, Content-Type, DPoP, X-Request-Id'
const EXPOSED_HEADERS = 'DPoP-Nonce, Retry-After, WWW-Authenticate, X-Request-Id'
const MAX_AGE_SECONDS = 600

/**
 * The headers that let pages of a registered origin read an answer; none for others. Cookies are
 * never allowed across origins.
 *
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function corsHeadersFor(
  origin: string | undefined,
  isRegistered: boolean,
): Readonly<Record<string, string>> {
  return {
    vary: 'Origin',
    ...(origin !== undefined && isRegistered
      ? {
          'access-control-allow-origin': origin,
          'access-control-expose-headers': EXPOSED_HEADERS,
        }
      : {}),
  }
}

/** Answers `OPTIONS`: what a page of a registered origin may send; nothing for others. */
export function answerPreflight(
  response: ServerResponse,
  origin: string | undefined,
  isRegistered: boolean,
): void {
  const headers: Record<string, string> = { ...corsHeadersFor(origin, isRegistered) }
  if (headers['access-control-allow-origin'] !== undefined) {
    headers['access-control-allow-methods'] = METHODS
    headers['access-control-allow-headers'] = REQUEST_HEADERS
    headers['access-control-max-age'] = String(MAX_AGE_SECONDS)
  }
  response.writeHead(204, headers)
  response.end()
}
