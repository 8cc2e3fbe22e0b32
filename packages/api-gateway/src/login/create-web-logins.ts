import {
  createSharedUseOnce,
  createUpstreamLogins,
  type ProviderFetch,
  type UpstreamProvider,
} from '@scopegate/oidc-login'
import type { Sealer } from '@scopegate/secrets'
import type { Storage } from '@scopegate/storage'
import type { WebLogin } from '../web-login.ts'
import { createWebLogin } from './create-web-login.ts'
import { createEndedSessions } from './ended-sessions.ts'
import { createLoginCookies } from './login-cookies.ts'
import { loginPaths } from './login-paths.ts'
import { selfClientIdOf, selfClientOf, selfProvider, type WebLoginClient } from './self-provider.ts'
import type { WebSessionStore } from './web-session.ts'
import { createWebSessionStore, deleteExpiredWebSessions } from './web-session-store.ts'

/** The login of one API as the configuration declares it. */
export interface WebLoginDeclaration {
  readonly api: { readonly name: string; readonly path: string; readonly url: string }
  /** `self`, or the name of one of `providers`. */
  readonly provider: string
  readonly scopes: readonly string[]
  readonly sessionIdleMinutes: number
  readonly sessionAbsoluteHours: number
  /** A path of this server. */
  readonly afterLogout?: string | undefined
  readonly cookiePath?: string | undefined
  /** Further origins whose pages may send requests that change something. */
  readonly origins?: readonly string[] | undefined
}

export interface WebLoginsDeps {
  readonly apis: readonly WebLoginDeclaration[]
  /** The issuer that `self` stands for: the base URL of this server. */
  readonly issuer: string
  /** Of `login.providers`. */
  readonly providers: readonly UpstreamProvider[]
  readonly pool: Storage['pool']
  readonly sealer: Sealer
  /** The secret of a client of ours: the same in every process and after every start. */
  readonly clientSecret: (clientId: string) => string
  /** Reaches the issuer of this server; see `createInProcessFetch`. */
  readonly selfFetch: ProviderFetch
  /** Reaches other providers. */
  readonly fetch?: ProviderFetch
  readonly clockToleranceSeconds?: number
  readonly nowMs: () => number
  readonly onError?: (error: unknown, correlationId: string) => void
}

export interface WebLogins {
  /** By the name of the API. */
  readonly logins: ReadonlyMap<string, WebLogin>
  /** To be declared at the authorization server before anybody signs in. */
  readonly clients: readonly WebLoginClient[]
  /**
   * What this issuer granted to a client has ended; what was signed in by it ends too. @returns
   * whether the client is one of ours
   */
  endSelf(ended: {
    readonly clientId?: string
    readonly subject?: string
    readonly sid: string
  }): Promise<boolean>
  close(): Promise<void>
}

const CLEANUP_MS = 60_000

/** The logins of all APIs that have one. @throws {UpstreamProviderError} */
export function createWebLogins(deps: WebLoginsDeps): WebLogins {
  const { pool, sealer, nowMs, issuer } = deps
  const onError = (error: unknown, correlationId = 'web sessions') =>
    deps.onError?.(error, correlationId)
  const ended = createEndedSessions(pool, onError)
  const useOnce = createSharedUseOnce(pool)
  const clients = new Map<string, WebLoginClient>()
  const logins = new Map<string, WebLogin>()
  // They share one table.
  let anyStore: WebSessionStore | undefined

  for (const declaration of deps.apis) {
    const { api } = declaration
    const provider = providerOf(declaration)
    const { origin } = new URL(api.url)
    // What is sealed for one API opens nothing at another.
    const ofApi = (context: string) => `web-login:${api.name}:${context}`
    const isSelf = declaration.provider === 'self'
    const fetchProvider = isSelf ? deps.selfFetch : deps.fetch
    const store = createWebSessionStore({
      ...{ pool, sealer, nowMs },
      api: api.name,
      onEnded: ended.tell,
    })
    anyStore ??= store
    logins.set(
      api.name,
      createWebLogin({
        ...{ api, store, ended, nowMs },
        provider: {
          name: provider.name,
          clientId: provider.clientId,
          scopes: provider.scopes ?? [],
        },
        logins: createUpstreamLogins({
          providers: [provider],
          sealer: {
            seal: (plain, context) => sealer.seal(plain, ofApi(context)),
            unseal: (sealed, context) => sealer.unseal(sealed, ofApi(context)),
          },
          callbackUrl: () => `${origin}${loginPaths(api.path).callback}`,
          nowMs,
          useOnce,
          keepTokens: true,
          ...(fetchProvider === undefined ? {} : { fetch: fetchProvider }),
          ...(deps.clockToleranceSeconds === undefined
            ? {}
            : { clockToleranceSeconds: deps.clockToleranceSeconds }),
        }),
        cookies: createLoginCookies({ api, path: declaration.cookiePath }),
        sessionIdleSeconds: declaration.sessionIdleMinutes * 60,
        sessionAbsoluteSeconds: declaration.sessionAbsoluteHours * 3600,
        afterLogout: declaration.afterLogout,
        allowedOrigins: declaration.origins,
        onError,
      }),
    )
  }

  function providerOf({ api, provider, scopes }: WebLoginDeclaration): UpstreamProvider {
    if (provider === 'self') {
      const client = selfClientOf(api, scopes, deps.clientSecret(selfClientIdOf(api)))
      clients.set(client.id, client)
      return selfProvider(issuer, api, client)
    }
    const found = deps.providers.find(({ name }) => name === provider)
    if (found === undefined) throw new Error(`no provider \`${provider}\` for API \`${api.name}\``)
    return { ...found, scopes: [...new Set(['openid', ...scopes])] }
  }

  const cleaning = setInterval(() => {
    deleteExpiredWebSessions(pool, nowMs()).catch((error: unknown) => onError(error, 'cleanup'))
  }, CLEANUP_MS)
  cleaning.unref()

  return {
    logins,
    clients: [...clients.values()],
    async endSelf(selfEnded) {
      const { clientId } = selfEnded
      if (anyStore === undefined || clients.size === 0) return false
      if (clientId !== undefined && !clients.has(clientId)) return false
      const count = await anyStore.endAtProvider({ ...selfEnded, issuer })
      return clientId !== undefined || count > 0
    },
    async close() {
      clearInterval(cleaning)
      ended.close()
      await Promise.all([...logins.values()].map((login) => login.close()))
    },
  }
}
