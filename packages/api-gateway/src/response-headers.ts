import type { Api } from './api.ts'
import { setsOwnCookie } from './login/own-cookies.ts'

/** What is between the upstream and us only. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
  // Ours is the one that traces know.
  'x-request-id',
])

type Headers = Readonly<Record<string, string | string[] | undefined>>

/**
 * The headers of an answer for the caller, name and value by turns: without those of the hop and
 * cookies that would take the place of ours, and with `Location` as the caller must read it.
 */
export function copyResponseHeaders(headers: Headers, api: Api, correlationId: string): string[] {
  const out = ['X-Request-Id', correlationId]
  const { connection } = headers
  const named =
    connection === undefined || connection === 'keep-alive' || connection === 'close'
      ? undefined
      : new Set(String(connection).toLowerCase().split(/ *, */))
  for (const name in headers) {
    if (HOP_BY_HOP.has(name) || named?.has(name)) continue
    const value = headers[name]
    if (typeof value === 'string') {
      if (name === 'set-cookie' && setsOwnCookie(value)) continue
      out.push(name, name === 'location' ? publicLocation(value, api) : value)
    } else if (value !== undefined) {
      for (const each of value) {
        if (name !== 'set-cookie' || !setsOwnCookie(each)) out.push(name, each)
      }
    }
  }
  return out
}

/** An address of the upstream as the address of the API that it is behind. */
function publicLocation(location: string, api: Api): string {
  const { upstreamOrigin, upstreamPath, keepPath, path } = api
  const isAbsolute = location.startsWith(`${upstreamOrigin}/`) || location === upstreamOrigin
  if (!isAbsolute && (!location.startsWith('/') || location.startsWith('//'))) return location
  const target = isAbsolute ? location.slice(upstreamOrigin.length) || '/' : location
  const prefix = keepPath ? upstreamPath + path : upstreamPath
  const isBelow = target === prefix || target.startsWith(`${prefix}/`) || prefix === ''
  return isBelow ? path + target.slice(prefix.length) : location
}
