import type { IncomingMessage } from 'node:http'
import { type ApiCheck, failedApi } from '@scopegate/checks'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Why a request with the cookie of a session must not be followed: it could change something, and no
 * page of the app's own origin, or of a listed one, has sent it. A WebSocket handshake is such a
 * request too: its `GET` opens what anything can be sent through. Browsers always say where a request
 * comes from; one that says nothing is refused.
 *
 * @see https://www.w3.org/TR/fetch-metadata/ ; OWASP CSRF Prevention, "Verifying Origin"
 */
export function refuseCrossSite(
  { method, headers }: Pick<IncomingMessage, 'method' | 'headers'>,
  ownOrigin: string,
  allowedOrigins: readonly string[],
): ApiCheck | undefined {
  const isHandshake = headers.upgrade?.toLowerCase() === 'websocket'
  if (SAFE.has(method ?? '') && !isHandshake) return undefined
  const { origin } = headers
  const site = headers['sec-fetch-site']
  // A page that sends no referrer sends `null` in place of its origin, to its own server too.
  if (origin !== undefined && origin !== 'null') {
    if (origin === ownOrigin || allowedOrigins.includes(origin)) return undefined
    return failedApi('session_cross_site', {
      expected: [ownOrigin, ...allowedOrigins].join(' or '),
      got: origin.slice(0, 200),
    })
  }
  // `none`: the person did it, by a bookmark or by sending a form again.
  if (site === 'same-origin' || site === 'none') return undefined
  return failedApi('session_cross_site', {
    expected: [ownOrigin, ...allowedOrigins].join(' or '),
    got: typeof site === 'string' ? `a ${site.slice(0, 20)} request` : 'no Origin',
  })
}
