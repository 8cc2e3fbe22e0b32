import type { Api } from './api.ts'
import { IDENTITY_NAMES_ALWAYS } from './identity-headers.ts'
import { withoutOwnCookies } from './login/own-cookies.ts'

/** What is between two hops, and what we say ourselves. @see RFC 9110 §7.6.1 */
const NEVER_FORWARDED: readonly string[] = [
  'connection',
  'expect',
  'forwarded',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-request-id',
  // What frameworks take for the address, the method or the path of the real request.
  'client-ip',
  'true-client-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-host',
  'x-original-method',
  'x-original-uri',
  'x-original-url',
  'x-real-ip',
  'x-rewrite-url',
]

type Fate = 'pass' | 'drop' | 'cookie'

/** How headers of requests go through, for one API: decided once per name. */
export interface HeaderPolicy {
  fateOf(rawName: string): Fate
}

const MAX_KNOWN_NAMES = 512

export function createHeaderPolicy(api: Api): HeaderPolicy {
  const { headers, jwt, authorization } = api.forward
  const dropped = new Set([...NEVER_FORWARDED, ...IDENTITY_NAMES_ALWAYS])
  for (const [name] of headers) dropped.add(name.toLowerCase())
  if (jwt !== undefined) dropped.add(jwt.header.toLowerCase())
  // Where browsers sign in, what else they send as credentials was never looked at.
  if (authorization === 'strip' || api.auth.mode === 'login')
    for (const name of ['authorization', 'dpop']) dropped.add(name)
  const known = new Map<string, Fate>()

  function judge(rawName: string): Fate {
    // Some servers take `X_User` for `X-User`, so that one is the other's forgery.
    const name = rawName.toLowerCase().replaceAll('_', '-')
    if (dropped.has(name) || name.startsWith('x-forwarded')) return 'drop'
    return name === 'cookie' ? 'cookie' : 'pass'
  }

  return {
    fateOf(rawName) {
      let fate = known.get(rawName)
      if (fate === undefined) {
        fate = judge(rawName)
        if (known.size < MAX_KNOWN_NAMES) known.set(rawName, fate)
      }
      return fate
    },
  }
}

/**
 * The headers of a request as the upstream gets them, name and value by turns, and appended to
 * `out`: in one walk, without what is for this hop, what `Connection` names, what would forge an
 * identity, and the cookies of this server.
 */
export function copyRequestHeaders(
  rawHeaders: readonly string[],
  policy: HeaderPolicy,
  connection: string | undefined,
  out: string[],
): void {
  const named = namedByConnection(connection)
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    const fate = policy.fateOf(name)
    if (fate === 'drop') continue
    if (named?.has(name.toLowerCase())) continue
    if (fate === 'pass') out.push(name, rawHeaders[i + 1]!)
    else {
      const cookies = withoutOwnCookies(rawHeaders[i + 1]!)
      if (cookies !== '') out.push(name, cookies)
    }
  }
}

/** Names in `Connection` other than the two that everybody sends; `undefined` for none. */
function namedByConnection(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') {
    return undefined
  }
  return new Set(connection.split(',').map((each) => each.trim().toLowerCase()))
}
