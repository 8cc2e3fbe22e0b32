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
  // What some upstreams take for who is signed in.
  'remote-user',
  'x-auth-request-email',
  'x-auth-request-user',
  'x-authenticated-user',
  'x-remote-user',
  'x-ssl-client-cert',
  'x-ssl-client-verify',
]

/** They show the headers of a request, and so our token, to whoever sent it. @see RFC 9110 §9.3.8 */
export const REFLECTING_METHODS: ReadonlySet<string> = new Set([
  'TRACE',
  'TRACK',
  'CONNECT',
  'DEBUG',
])

type Fate = 'pass' | 'drop' | 'cookie'

/** How headers of requests go through to one upstream: decided once per name. */
export interface HeaderPolicy {
  fateOf(rawName: string): Fate
  /** What of the cookies goes through; `''` for nothing. */
  readonly cookies: (header: string) => string
}

const MAX_KNOWN_NAMES = 512

export function createHeaderPolicy(options: {
  /** Names that callers cannot send, beside those of the hop and of identity. */
  readonly drop: Iterable<string>
  /** Names that begin so neither, in lower case. */
  readonly dropPrefixes?: readonly string[]
  readonly cookies: (header: string) => string
}): HeaderPolicy {
  const dropped = new Set(NEVER_FORWARDED)
  for (const name of options.drop) dropped.add(name.toLowerCase())
  const prefixes = ['x-forwarded', ...(options.dropPrefixes ?? [])]
  const known = new Map<string, Fate>()

  function judge(rawName: string): Fate {
    // Some servers take `X_User` for `X-User`, so that one is the other's forgery.
    const name = rawName.toLowerCase().replaceAll('_', '-')
    if (dropped.has(name) || prefixes.some((prefix) => name.startsWith(prefix))) return 'drop'
    return name === 'cookie' ? 'cookie' : 'pass'
  }

  return {
    cookies: options.cookies,
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
 * identity, and what the policy takes out of the cookies.
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
      const cookies = policy.cookies(rawHeaders[i + 1]!)
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
