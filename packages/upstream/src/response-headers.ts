export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>

/** What is between the upstream and us only. @see RFC 9110 §7.6.1 */
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

export interface AnswerPolicy {
  /** Names, in lower case, that go no further. */
  readonly drop?: ReadonlySet<string>
  /** Whether a `Set-Cookie` line may reach the caller. */
  readonly keepsCookie: (line: string) => boolean
  /** An address of the upstream as the caller must read it; `undefined`: it goes no further. */
  readonly address: (location: string) => string | undefined
}

/** Headers that hold an address of the resource. */
const ADDRESSES = new Set(['location', 'content-location'])

/**
 * The headers of an answer for the caller, name and value by turns, appended to `out`: without
 * those of the hop and cookies that the policy does not keep, with addresses as the caller reads them.
 */
export function copyAnswerHeaders(
  headers: AnswerHeaders,
  policy: AnswerPolicy,
  out: string[],
): string[] {
  const { connection } = headers
  const named =
    connection === undefined || connection === 'keep-alive' || connection === 'close'
      ? undefined
      : new Set(String(connection).toLowerCase().split(/ *, */))
  for (const name in headers) {
    if (HOP_BY_HOP.has(name) || named?.has(name) || policy.drop?.has(name)) continue
    const value = headers[name]
    if (typeof value === 'string') {
      if (name === 'set-cookie' && !policy.keepsCookie(value)) continue
      const passed = ADDRESSES.has(name) ? policy.address(value) : value
      if (passed !== undefined) out.push(name, passed)
    } else if (value !== undefined) {
      for (const each of value) {
        if (name !== 'set-cookie' || policy.keepsCookie(each)) out.push(name, each)
      }
    }
  }
  return out
}

/** What frames, routes, authenticates or controls cannot come after the body. @see RFC 9110 §6.5.1 */
const NEVER_TRAILERS = new Set([
  ...HOP_BY_HOP,
  'authorization',
  'cache-control',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'host',
  'location',
  'set-cookie',
  'trailer',
  'www-authenticate',
])

/** The trailers of an answer that may be passed on; `undefined` for none. */
export function passableTrailers(trailers: AnswerHeaders): Record<string, string> | undefined {
  let passed: Record<string, string> | undefined
  for (const name in trailers) {
    if (NEVER_TRAILERS.has(name)) continue
    passed ??= {}
    passed[name] = String(trailers[name])
  }
  return passed
}

/**
 * An address of the upstream as that of what stands before it: `base` (its origin and path) becomes
 * `mount`. Addresses of others stay. @param outside what an address of the upstream's that is not
 * below `base` becomes: `keep` leaves it as it is, `absolute` says whose it is.
 */
export function publicAddress(
  location: string,
  place: {
    readonly origin: string
    readonly basePath: string
    readonly mount: string
    readonly outside: 'keep' | 'absolute'
  },
): string {
  const { origin, basePath, mount, outside } = place
  const isAbsolute = location.startsWith(`${origin}/`) || location === origin
  if (!isAbsolute && (!location.startsWith('/') || location.startsWith('//'))) return location
  const target = isAbsolute ? location.slice(origin.length) || '/' : location
  const isBelow =
    basePath === '' || target === basePath || /^[/?#]/.test(after(target, basePath) ?? '')
  if (isBelow) return mount + target.slice(basePath.length)
  return outside === 'absolute' && !isAbsolute ? origin + target : location
}

function after(text: string, start: string): string | undefined {
  return text.startsWith(start) ? text.slice(start.length) : undefined
}
