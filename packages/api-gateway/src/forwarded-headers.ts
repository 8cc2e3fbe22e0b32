import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import { createClientAddress, forwardedForOf } from '@scopegate/http'
import type { Api } from './api.ts'

export interface ForwardedHeaders {
  /** The peer; behind trusted proxies, whom the last of them names. */
  addressOf(request: IncomingMessage): string
  /** Adds what upstreams know the real request by. */
  append(request: IncomingMessage, api: Api, headers: string[]): void
}

/**
 * `Forwarded` and `X-Forwarded-*`, always from us: host and scheme are those of the configuration,
 * the address is the peer's. Only of trusted proxies the chain before them is kept.
 * @see RFC 7239
 */
export function forwardedHeaders(options: {
  readonly url: string
  readonly isTrustedProxy?: ((address: string) => boolean) | undefined
}): ForwardedHeaders {
  const addresses = createClientAddress(options.isTrustedProxy)
  const { protocol, host } = new URL(options.url)
  const proto = protocol.slice(0, -1)

  const chainOf = (request: IncomingMessage) =>
    addresses.chain(request.socket.remoteAddress, forwardedForOf(request))

  return {
    addressOf: addresses.ofIncoming,
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
