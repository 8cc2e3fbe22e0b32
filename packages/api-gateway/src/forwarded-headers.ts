import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import type { Api } from './api.ts'

export interface ForwardedHeaders {
  /** The peer; behind trusted proxies, whom the last of them names. */
  addressOf(request: IncomingMessage): string
  /** Adds what upstreams know the real request by. */
  append(request: IncomingMessage, api: Api, headers: string[]): void
}

const NEVER = () => false

/**
 * `Forwarded` and `X-Forwarded-*`, always from us: host and scheme are those of the configuration,
 * the address is the peer's. Only of trusted proxies the chain before them is kept.
 * @see RFC 7239
 */
export function forwardedHeaders(options: {
  readonly url: string
  readonly isTrustedProxy?: ((address: string) => boolean) | undefined
}): ForwardedHeaders {
  const isTrusted = options.isTrustedProxy ?? NEVER
  const { protocol, host } = new URL(options.url)
  const proto = protocol.slice(0, -1)

  function chainOf(request: IncomingMessage): readonly string[] {
    const peer = plain(request.socket.remoteAddress ?? 'unknown')
    const sent = request.headers['x-forwarded-for']
    if (sent === undefined || !isTrusted(peer)) return [peer]
    const before = String(sent)
      .split(',')
      .map((each) => plain(each.trim()))
    if (before.length > 20 || before.some((each) => !/^[0-9A-Fa-f.:]{2,45}$/.test(each)))
      return [peer]
    return [...before, peer]
  }

  return {
    addressOf(request) {
      const chain = chainOf(request)
      return chain.findLast((address) => !isTrusted(address)) ?? chain[0]!
    },
    append(request, api, headers) {
      const chain = chainOf(request)
      const all = chain.length === 1 ? chain[0]! : chain.join(', ')
      const last = isIPv6(chain.at(-1)!) ? `"[${chain.at(-1)}]"` : chain.at(-1)
      headers.push('x-forwarded-for', all)
      headers.push('x-forwarded-host', host, 'x-forwarded-proto', proto)
      if (!api.keepPath) headers.push('x-forwarded-prefix', api.path)
      headers.push('forwarded', `for=${last};host="${host}";proto=${proto}`)
    },
  }
}

/** An IPv4 address as itself, not as the IPv6 address that a dual socket makes of it. */
function plain(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
