import type { IncomingMessage } from 'node:http'
import { failedOutbound, type OutboundCheck } from '@scopegate/checks'
import { isLoopback, targetAuthorityOf } from '@scopegate/http'

/** What tells that somebody else passed the request on. */
const FORWARDED = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-forwarded-prefix',
  'x-real-ip',
  'x-original-url',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
]

/**
 * Whether a request on a listener of loopback comes from a program on this machine: not through a
 * proxy, not by a name that somebody made point here, not from a page in a browser. What fails, or
 * that it passed.
 *
 * @see https://www.w3.org/TR/fetch-metadata/
 */
export function checkLocal(request: IncomingMessage): OutboundCheck {
  const { headers, socket } = request
  if (!isLoopback(socket.remoteAddress ?? '')) return failedOutbound('sidecar_not_loopback')
  const forwarded = FORWARDED.find((name) => headers[name] !== undefined)
  if (forwarded !== undefined) return failedOutbound('sidecar_forwarded', { got: forwarded })
  for (const authority of [headers.host ?? '', targetAuthorityOf(request)]) {
    if (authority === undefined || isLoopback(hostOf(authority))) continue
    const expected = `127.0.0.1:${socket.localPort}`
    return failedOutbound('sidecar_foreign_host', { expected, got: shown(authority) })
  }
  return checkNoBrowser(request) ?? { name: 'place', outcome: 'pass', got: 'loopback' }
}

/** Refuses what pages in browsers send; `undefined` for everything else. */
export function checkNoBrowser({ headers, socket }: IncomingMessage): OutboundCheck | undefined {
  // Only browsers send it, and their scripts cannot leave it out.
  if (headers['sec-fetch-site'] !== undefined) {
    return failedOutbound('sidecar_browser', { got: 'sec-fetch-site' })
  }
  const { origin, host } = headers
  if (origin === undefined) return undefined
  const scheme = 'encrypted' in socket ? 'https' : 'http'
  // Some libraries for WebSockets name the address they call.
  return origin === `${scheme}://${host}` && isLoopback(hostOf(host ?? ''))
    ? undefined
    : failedOutbound('sidecar_browser', { got: 'origin' })
}

/** Without the port; `''` for what is no authority. */
function hostOf(authority: string): string {
  return (
    /^(\[[0-9A-Fa-f:.]+\]|[^:@/\\?#\s]+)(?::\d{1,5})?$/.exec(authority)?.[1]?.toLowerCase() ?? ''
  )
}

function shown(authority: string): string {
  return authority.replaceAll(/[^A-Za-z0-9.:[\]_-]/g, '?').slice(0, 100)
}
