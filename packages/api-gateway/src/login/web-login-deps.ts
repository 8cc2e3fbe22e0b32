import type { UpstreamLogins } from '@scopegate/oidc-login'
import type { EndedSessions } from './ended-sessions.ts'
import type { LoginCookies } from './login-cookies.ts'
import type { WebSessionStore } from './web-session.ts'

export interface WebLoginDeps {
  readonly api: { readonly name: string; readonly path: string; readonly url: string }
  /** The name of the provider in `logins`, and how this server is known there. */
  readonly provider: {
    readonly name: string
    readonly clientId: string
    readonly scopes: readonly string[]
  }
  readonly logins: Pick<
    UpstreamLogins,
    'begin' | 'complete' | 'refresh' | 'logoutUrl' | 'verifyLogoutToken'
  >
  readonly store: WebSessionStore
  readonly cookies: LoginCookies
  readonly ended: EndedSessions
  readonly sessionIdleSeconds: number
  readonly sessionAbsoluteSeconds: number
  /** A path of this server. Default: a page that says so. */
  readonly afterLogout?: string | undefined
  /** Whose pages may send requests that change something, beside the API's own origin. */
  readonly allowedOrigins?: readonly string[] | undefined
  readonly nowMs: () => number
  /** Refused sign-ins and logout tokens, and our own failures. */
  readonly onError?: ((error: unknown, correlationId: string) => void) | undefined
}
