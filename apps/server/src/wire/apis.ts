import { BlockList, isIPv6 } from 'node:net'
import {
  type ApiGateway,
  compileApi,
  createApiGateway,
  type WebLogin,
} from '@scopegate/api-gateway'
import type { AuthorizationServer } from '@scopegate/authorization-server'
import type { CountFailure } from '@scopegate/http'
import type { TokenSource, TokenVerifier } from '@scopegate/oauth-model'
import type { Config } from '../config.ts'
import type { Logger } from '../operations/logger.ts'
import type { Metrics } from '../operations/metrics.ts'
import type { Audits } from './audits.ts'
import type { People } from './people.ts'

export interface ApisDeps {
  readonly config: Config
  readonly verifier: TokenVerifier
  readonly authorizationServer: Pick<AuthorizationServer, 'signJwt'>
  readonly people: People
  readonly audits: Audits
  readonly metrics: Metrics
  readonly log: Logger
  readonly nowMs: () => number
  readonly countFailure: CountFailure
  /** For `forward.token`. */
  readonly tokens?: TokenSource
  /** By the name of the API. */
  readonly logins?: ReadonlyMap<string, WebLogin>
}

/** The ordinary APIs and web apps of the configuration; `undefined` where there are none. */
export function wireApis(deps: ApisDeps): ApiGateway | undefined {
  const { config, authorizationServer, people, audits, metrics, log } = deps
  if (config.apis.length === 0) return undefined
  return createApiGateway({
    apis: config.apis.map((api) => compileApi(api, config.url)),
    url: config.url,
    verifier: deps.verifier,
    passwords: people.passwords,
    signJwt: authorizationServer.signJwt,
    traces: audits.traces,
    callers: config.settings.explain.callers,
    audit: audits.accessAudit,
    isTrustedProxy: trustedProxies(config.settings.server.trustedProxies),
    nowMs: deps.nowMs,
    countFailure: deps.countFailure,
    onError: (error, correlationId) => log.warn({ error, correlationId }, 'API request failed'),
    onAnswered: (_api, { method }, status, seconds) =>
      metrics.countRequest('api', method ?? '', status, seconds),
    ...(deps.tokens && { tokens: deps.tokens }),
    ...(deps.logins && { logins: deps.logins }),
  })
}

/** Whether an address is one of those listed, or in one of the networks. */
export function trustedProxies(listed: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const entry of listed) {
    const [address = '', bits] = entry.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return (address) => list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}
