import type { IncomingMessage } from 'node:http'

/** Tells who sent a request where proxies may stand in between. */
export interface ClientAddress {
  /** The peer; behind trusted proxies, whom the last of them names. */
  of(peer: string | undefined, forwardedFor: string | undefined): string
  ofIncoming(request: IncomingMessage): string
  /** Everybody on the way, the peer last; the peer alone where it is not trusted. */
  chain(peer: string | undefined, forwardedFor: string | undefined): readonly string[]
}

const MAX_HOPS = 20
const ADDRESS = /^[0-9A-Fa-f.:]{2,45}$/
const NEVER = () => false

/**
 * `X-Forwarded-For` counts only as far as trusted proxies wrote it: from the right, up to the first
 * address that is none of theirs. Nobody else chooses the address that limits count for.
 */
export function createClientAddress(
  isTrustedProxy: (address: string) => boolean = NEVER,
): ClientAddress {
  function chain(peer: string | undefined, forwardedFor: string | undefined): readonly string[] {
    const last = plain(peer ?? 'unknown')
    if (forwardedFor === undefined || !isTrustedProxy(last)) return [last]
    const before = forwardedFor.split(',').map((each) => plain(each.trim()))
    if (before.length > MAX_HOPS || before.some((each) => !ADDRESS.test(each))) return [last]
    return [...before, last]
  }

  function of(peer: string | undefined, forwardedFor: string | undefined): string {
    const all = chain(peer, forwardedFor)
    return all.findLast((address) => !isTrustedProxy(address)) ?? all[0]!
  }

  return {
    chain,
    of,
    ofIncoming: (request) => of(request.socket.remoteAddress, forwardedForOf(request)),
  }
}

/** As it was sent: `headers` may have been rewritten since. */
export function forwardedForOf({ rawHeaders }: IncomingMessage): string | undefined {
  const sent: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.toLowerCase() === 'x-forwarded-for') sent.push(rawHeaders[i + 1]!)
  }
  return sent.length === 0 ? undefined : sent.join(',')
}

/** An IPv4 address as itself, not as the IPv6 address that a dual socket makes of it. */
function plain(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
