import { isLoopback } from '@scopegate/http'
import { type OutboundCall, targetOf } from './outbound-call.ts'
import { SIDECAR_PATH } from './sidecar-connection.ts'

/**
 * An address in an answer as the caller reads it. Below the upstream it becomes one below the
 * connection, elsewhere at the upstream its own, and what is another's stays. It is resolved as
 * whoever follows it would: `/r4/../x` and `../../x` are not below anything here.
 *
 * @returns `undefined` for an address of the sidecar itself: whoever follows that would be led by
 * the upstream to another connection, with its token
 * @see RFC 9110 §10.2.2
 */
export function callerAddress(location: string, call: OutboundCall): string | undefined {
  const { upstream, basePath, mount } = call.route
  const url = URL.parse(location, `${upstream.origin}${targetOf(call)}`)
  // Nobody can follow it, unless by other rules than these.
  if (url === null) return undefined
  if (url.origin === upstream.origin) {
    const { pathname, search, hash } = url
    const isBelow = pathname === basePath || pathname.startsWith(`${basePath}/`)
    // Two slashes would name a host.
    const isPlain = !/\/\/|%(?:2f|5c)/i.test(pathname)
    return isBelow && isPlain
      ? `${mount}${pathname.slice(basePath.length)}${search}${hash}`
      : url.href
  }
  return leadsHere(url, call) ? undefined : location
}

/** By a name of this machine: by any other the sidecar refuses to be called. */
function leadsHere({ hostname, port, protocol, pathname }: URL, { request }: OutboundCall) {
  if (!isLoopback(hostname.replace(/\.$/, ''))) return false
  const named = Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port)
  return named === request.socket.localPort && decodes(pathname).startsWith(`${SIDECAR_PATH}/`)
}

function decodes(pathname: string): string {
  try {
    return decodeURIComponent(pathname)
  } catch {
    return pathname
  }
}
