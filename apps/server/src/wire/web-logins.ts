import { createInProcessFetch, createWebLogins, type WebLogins } from '@scopegate/api-gateway'
import type { TraceSink } from '@scopegate/audit'
import type { AuthorizationServer } from '@scopegate/authorization-server'
import { LoginRefused, LogoutTokenRefused } from '@scopegate/oidc-login'
import type { Storage } from '@scopegate/storage'
import { upstreamProviders } from '../config/configured-provider.ts'
import type { Config } from '../config.ts'
import type { Logger } from '../operations/logger.ts'
import { recordLoginRefusal } from '../operations/record-login-refusal.ts'
import type { Keys } from './keys.ts'

export interface WebLoginsWiring {
  readonly config: Config
  readonly storage: Storage
  readonly keys: Keys
  readonly authorizationServer: Pick<AuthorizationServer, 'node' | 'clients'>
  readonly traces: TraceSink
  readonly log: Logger
  readonly nowMs: () => number
}

/** Sign-in at the APIs that have it, and their clients at this server; `undefined` if none has. */
export async function wireWebLogins(deps: WebLoginsWiring): Promise<WebLogins | undefined> {
  const { config, storage, keys, authorizationServer, log, nowMs } = deps
  const { url } = config
  const apis = config.apis.filter(({ auth }) => auth.mode !== 'bearer')
  if (apis.length === 0) {
    await authorizationServer.clients.declareOwnWebApps([])
    return undefined
  }
  const webLogins = createWebLogins({
    apis: apis.map(({ name, path, login }) => ({
      api: { name, path, url: `${url}${path}` },
      ...login,
    })),
    issuer: url,
    providers: upstreamProviders(config.providers),
    pool: storage.pool,
    sealer: keys.sealer,
    clientSecret: (clientId) =>
      Buffer.from(keys.derive(`web login ${clientId}`)).toString('base64url'),
    selfFetch: createInProcessFetch(authorizationServer.node),
    clockToleranceSeconds: config.settings.tokens.clockToleranceSeconds,
    nowMs,
    onError(error, correlationId) {
      if (error instanceof LoginRefused) {
        recordLoginRefusal(error, { ...deps, correlationId, issuer: url })
      } else if (error instanceof LogoutTokenRefused) {
        log.warn({ correlationId, reason: error.message }, 'logout token refused')
      } else {
        log.error({ error, correlationId }, 'sign-in to a web app failed')
      }
    },
  })
  await authorizationServer.clients.declareOwnWebApps(webLogins.clients)
  return webLogins
}
