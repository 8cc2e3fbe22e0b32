import type { IncomingMessage, ServerResponse } from 'node:http'
import { findApiReason } from '@scopegate/checks'
import { LogoutTokenRefused } from '@scopegate/oidc-login'
import { notAllowed, redirect, sendJson, sendLoginPage } from './login-pages.ts'
import { loginPaths } from './login-paths.ts'
import { readFormField } from './read-form-body.ts'
import { refuseCrossSite } from './same-origin.ts'
import type { WebLoginDeps } from './web-login-deps.ts'
import type { StoredSession } from './web-session.ts'

/** The addresses at which sessions end. */
export interface LogoutEndpoints {
  /** The person signs out. @see OpenID Connect RP-Initiated Logout 1.0 */
  logout(request: IncomingMessage, response: ServerResponse, correlationId: string): Promise<void>
  /** Where the provider sends the browser afterwards. */
  loggedOut(response: ServerResponse): void
  /** The provider tells of a logout. @see OpenID Connect Back-Channel Logout 1.0 §2.5 */
  backchannelLogout(
    request: IncomingMessage,
    response: ServerResponse,
    correlationId: string,
  ): Promise<void>
}

export function createLogoutEndpoints(deps: WebLoginDeps): LogoutEndpoints {
  const { api, provider, logins, store, cookies } = deps
  const { origin } = new URL(api.url)
  const paths = loginPaths(api.path)

  async function logout(
    request: IncomingMessage,
    response: ServerResponse,
    correlationId: string,
  ): Promise<void> {
    if (request.method === 'GET' || request.method === 'HEAD') {
      return sendLoginPage(response, {
        status: 200,
        title: 'Sign out',
        text: `Do you want to sign out of ${api.name}?`,
        button: { action: paths.logout, text: 'Sign out' },
      })
    }
    if (request.method !== 'POST') return notAllowed(response, 'GET, POST')
    const foreign = refuseCrossSite(request, origin, deps.allowedOrigins ?? [])
    if (foreign !== undefined) {
      const { code } = foreign
      const detail = findApiReason(code ?? '')?.callerText ?? 'not permitted'
      return sendJson(response, 403, {
        title: 'Forbidden',
        status: 403,
        code,
        detail,
        correlationId,
      })
    }
    const token = cookies.session(request.headers.cookie)
    const gone = token === undefined ? undefined : await store.endByToken(token)
    const next = await logoutAddress(gone, correlationId)
    response.setHeader('Set-Cookie', cookies.setSession(undefined))
    if (wantsPage(request)) redirect(response, next)
    else sendJson(response, 200, { logoutUrl: new URL(next, api.url).href })
  }

  /** At the provider, if it has a logout; the session here is over whatever comes of that. */
  async function logoutAddress(
    gone: StoredSession | undefined,
    correlationId: string,
  ): Promise<string> {
    const here = deps.afterLogout ?? paths.loggedOut
    if (gone === undefined) return here
    const { logoutHint } = gone.secrets
    const url = await logins
      .logoutUrl(provider.name, {
        returnTo: `${origin}${paths.loggedOut}`,
        ...(logoutHint === undefined ? {} : { logoutHint }),
      })
      .catch((error: unknown) => deps.onError?.(error, correlationId))
    return url ?? here
  }

  function loggedOut(response: ServerResponse): void {
    if (deps.afterLogout !== undefined) {
      redirect(response, deps.afterLogout)
      return
    }
    sendLoginPage(response, {
      status: 200,
      title: 'You are signed out',
      text: `You are signed out of ${api.name}.`,
      link: { href: `${api.path}/`, text: 'Sign in again' },
    })
  }

  async function backchannelLogout(
    request: IncomingMessage,
    response: ServerResponse,
    correlationId: string,
  ): Promise<void> {
    if (request.method !== 'POST') return notAllowed(response, 'POST')
    const refuse = (status: number, error: string, description: string) =>
      sendJson(response, status, { error, error_description: description })
    const token = await readFormField(request, 'logout_token')
    if (token === undefined) return refuse(400, 'invalid_request', 'there is no `logout_token`')
    try {
      const { issuer, subject, sessionId } = await logins.verifyLogoutToken(provider.name, token)
      await store.endAtProvider({
        issuer,
        clientId: provider.clientId,
        ...(subject === undefined ? {} : { subject }),
        ...(sessionId === undefined ? {} : { sid: sessionId }),
      })
      sendJson(response, 200, {})
    } catch (error) {
      deps.onError?.(error, correlationId)
      if (!(error instanceof LogoutTokenRefused)) return refuse(500, 'server_error', 'try again')
      const code = error.status === 503 ? 'temporarily_unavailable' : 'invalid_request'
      refuse(error.status, code, error.reason)
    }
  }

  return { logout, loggedOut, backchannelLogout }
}

function wantsPage({ headers }: IncomingMessage): boolean {
  return headers.accept?.includes('text/html') === true
}
