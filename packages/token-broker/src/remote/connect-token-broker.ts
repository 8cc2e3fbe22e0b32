import type { TokenSource } from '@scopegate/oauth-model'
import { createTokenBroker } from '../broker/create-token-broker.ts'
import type { TokenBroker } from '../broker/token-broker.ts'
import { createTokenRequester } from '../create-token-requester.ts'
import { isLoopbackHost } from '../transport/loopback-host.ts'
import { compileConnection } from '../written/compile-connection.ts'
import { createRemoteRequester, remoteConnection } from './remote-requester.ts'

export interface RemoteBrokerOptions {
  /** Of the server: `https://scopegate.example`. */
  readonly url: string
  /** Of its admin API, where that has a listener of its own. Default: `<url>/admin/api`. */
  readonly adminUrl?: string
  /** A client that the connections name in `callers`, registered for `admin/connections.own`. */
  readonly clientId: string
  /** Asked for at each token request. */
  readonly secret: () => string
  /** Default: the global one. */
  readonly fetch?: typeof fetch
  /** Default: `Date.now`. */
  readonly nowMs?: () => number
}

export interface RemoteBroker extends TokenSource {
  close(): Promise<void>
}

const SCOPE = 'admin/connections.own'

/**
 * The tokens of a running server's connections, for a program that is not part of it. The server
 * renews them and this process keeps each for its life: no secret of a provider ever comes here.
 *
 * `reject` makes this process ask the server again; whether that renews the token is its decision.
 */
export function connectTokenBroker(options: RemoteBrokerOptions): RemoteBroker {
  const { url, clientId, secret, nowMs = Date.now } = options
  const base = url.replace(/\/+$/, '')
  const adminUrl = options.adminUrl?.replace(/\/+$/, '') ?? `${base}/admin/api`
  if (!isProtected(adminUrl))
    throw new TypeError(`\`${adminUrl}\` is neither https nor on loopback`)
  const server = compileConnection(
    {
      name: 'scopegate',
      clientId,
      tokenEndpoint: `${base}/oauth/token`,
      grant: 'client_credentials',
      authentication: { method: 'client_secret_basic' },
      resource: adminUrl,
      scopes: [SCOPE],
    },
    { secrets: () => [secret()] },
  )
  const own = createTokenBroker({
    connections: [server],
    requester: createTokenRequester({ nowMs }),
    nowMs,
  })
  const requester = createRemoteRequester({
    ...{ adminUrl, nowMs, fetch: options.fetch ?? fetch },
    authorization: {
      get: () => own.getToken(server.name),
      refused: (token) => own.reject(server.name, token),
    },
  })
  const brokers = new Map<string, TokenBroker>()

  function brokerOf(name: string): TokenBroker {
    let broker = brokers.get(name)
    if (broker === undefined) {
      broker = createTokenBroker({
        connections: [remoteConnection(name, server)],
        requester,
        nowMs,
      })
      brokers.set(name, broker)
    }
    return broker
  }

  return {
    getToken: async (name, wish) => brokerOf(name).getToken(name, wish),
    reject: async (name, token) => brokerOf(name).reject(name, token),
    async close() {
      await Promise.all([own, ...brokers.values()].map((each) => each.close()))
    },
  }
}

/** Tokens travel there. */
function isProtected(address: string): boolean {
  const url = URL.parse(address)
  if (url === null) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))
}
