import type { IncomingMessage, ServerResponse } from 'node:http'
import { LoginRefused } from '@scopegate/oidc-login'
import type { WebLogin, WebSession, WebSessionVerdict } from '../web-login.ts'
import { notAllowed, redirect, sendJson, sendLoginPage } from './login-pages.ts'
import { loginPaths } from './login-paths.ts'
import { createLogoutEndpoints } from './logout-endpoints.ts'
import { createSessionRefresh, refreshTimeOf, secretsOf } from './refresh-session.ts'
import { returnAddress } from './return-address.ts'
import { refuseCrossSite } from './same-origin.ts'
import type { WebLoginDeps } from './web-login-deps.ts'
import type { StoredSession } from './web-session.ts'

/** Tokens that are good for less are not waited with: the request might take that long. */
const MARGIN_MS = 2000

/**
 * The login of the browsers of one API: code with PKCE, `state` and `nonce` at the provider, and a
 * session of its own here, whose cookie says nothing.
 *
 * @see OpenID Connect Core 1.0 §3.1; draft-ietf-oauth-browser-based-apps §6.1 (BFF)
 */
export function createWebLogin(deps: WebLoginDeps): WebLogin {
  const { api, provider, logins, store, cookies, ended, nowMs } = deps
  const { origin } = new URL(api.url)
  const paths = loginPaths(api.path)
  const allowedOrigins = deps.allowedOrigins ?? []
  const logouts = createLogoutEndpoints(deps)
  const refresh = createSessionRefresh({
    store,
    nowMs,
    refresh: (options) => logins.refresh(provider.name, options),
    onError: (error) => deps.onError?.(error, `refresh ${api.name}`),
  })

  /** The session of a request with tokens that are good. */
  async function find(request: IncomingMessage): Promise<StoredSession | undefined> {
    const token = cookies.session(request.headers.cookie)
    if (token === undefined) return undefined
    const session = await store.find(token)
    if (session?.refreshMs === undefined || nowMs() < session.refreshMs) return session
    const goodUntilMs = session.secrets.accessTokenExpiresMs ?? Infinity
    const refreshed = refresh(session)
    if (nowMs() + MARGIN_MS < goodUntilMs) {
      // Nobody waits while the tokens are still good.
      refreshed.catch((error: unknown) => deps.onError?.(error, `refresh ${api.name}`))
      return session
    }
    return (await refreshed) === 'done' ? store.find(token) : undefined
  }

  function asWebSession({ id, issuer, clientId, endsMs, secrets }: StoredSession): WebSession {
    const { claims, scope, accessToken, accessTokenExpiresMs = Infinity } = secrets
    return {
      ...{ id, issuer, clientId, claims, scope },
      ...(nowMs() < accessTokenExpiresMs ? { accessToken } : {}),
      expiresAt: Math.floor(endsMs / 1000),
    }
  }

  async function session(request: IncomingMessage): Promise<WebSessionVerdict> {
    const found = await find(request)
    if (found === undefined) return { kind: 'none' }
    const check = refuseCrossSite(request, origin, allowedOrigins)
    if (check !== undefined) return { kind: 'refused', check }
    return { kind: 'session', session: asWebSession(found) }
  }

  async function begin(
    request: IncomingMessage,
    response: ServerResponse,
    correlationId: string,
    wanted = request.url,
  ): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return sendLoginPage(response, {
        status: 401,
        title: 'You are not signed in',
        text: 'Your session has ended, so what you have just sent was not taken. Sign in, and send it again.',
        link: { href: paths.login, text: 'Sign in' },
        correlationId,
      })
    }
    const returnTo = returnAddress(wanted, api.path)
    try {
      const begun = await logins.begin(provider.name, { returnTo })
      const state = new URL(begun.redirectTo).searchParams.get('state') ?? ''
      const { cookie } = request.headers
      response.setHeader('Set-Cookie', [
        ...cookies.setState(cookie, state, begun.state, begun.maxAgeSeconds),
      ])
      redirect(response, begun.redirectTo)
    } catch (error) {
      showRefusal(error, response, correlationId, returnTo)
    }
  }

  async function complete(
    request: IncomingMessage,
    response: ServerResponse,
    correlationId: string,
    url: URL,
  ): Promise<void> {
    const { cookie } = request.headers
    const state = url.searchParams.get('state') ?? ''
    const sealed = cookies.state(cookie, state)
    const forget = cookies.clearState(state)
    try {
      const login = await logins.complete(provider.name, url, sealed)
      if (login.tokens === undefined) throw new Error('the sign-in came without its tokens')
      const secrets = {
        ...secretsOf(login.tokens, { scope: provider.scopes.join(' '), claims: {} }),
        ...(login.logoutHint === undefined ? {} : { logoutHint: login.logoutHint }),
      }
      const { token } = await store.start({
        issuer: login.issuer,
        clientId: provider.clientId,
        subject: login.subject,
        ...(login.upstreamSessionId === undefined ? {} : { sid: login.upstreamSessionId }),
        secrets,
        refreshMs: refreshTimeOf(login.tokens, secrets, nowMs()),
        expiresMs: nowMs() + deps.sessionAbsoluteSeconds * 1000,
        idleMs: deps.sessionIdleSeconds * 1000,
        replaces: cookies.session(cookie),
      })
      response.setHeader('Set-Cookie', [cookies.setSession(token), forget])
      redirect(response, returnAddress(login.returnTo, api.path))
    } catch (error) {
      response.setHeader('Set-Cookie', forget)
      const isRepeat = error instanceof LoginRefused && REPEATS.has(error.reason)
      // Somebody went back to a page of a sign-in that has succeeded.
      if (isRepeat && (await find(request)) !== undefined) {
        return redirect(response, returnAddress(error.returnTo, api.path))
      }
      showRefusal(error, response, correlationId, `${api.path}/`)
    }
  }

  function showRefusal(
    error: unknown,
    response: ServerResponse,
    correlationId: string,
    returnTo: string,
  ): void {
    deps.onError?.(error, correlationId)
    const known = error instanceof LoginRefused ? error : undefined
    const again = returnAddress(known?.returnTo ?? returnTo, api.path)
    sendLoginPage(response, {
      status: known?.status ?? 500,
      title: 'You could not be signed in',
      text: known?.text ?? 'Something failed here. Try again.',
      link: {
        href: `${paths.login}?return_to=${encodeURIComponent(again)}`,
        text: 'Try again',
      },
      correlationId,
    })
  }

  /** For scripts of the app; no other site can read it. */
  async function tellSession(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const found = await find(request)
    if (found === undefined)
      return sendJson(response, 401, { signedIn: false, loginUrl: paths.login })
    const { sub, name, preferred_username: username } = found.secrets.claims
    sendJson(response, 200, {
      signedIn: true,
      subject: sub,
      ...(typeof name === 'string' ? { name } : {}),
      ...(typeof username === 'string' ? { username } : {}),
      expiresAt: Math.floor(found.endsMs / 1000),
      logoutUrl: paths.logout,
    })
  }

  return {
    routes: [paths.all],
    loginPath: paths.login,
    session,
    begin: (request, response, correlationId) => begin(request, response, correlationId),
    isAlive: (sessionId) => store.isAlive(sessionId),
    onEnded: (listener) => ended.listen(listener),

    async handle(request, response, correlationId) {
      const url = new URL(request.url ?? '', api.url)
      const isRead = request.method === 'GET' || request.method === 'HEAD'
      switch (url.pathname) {
        case paths.logout:
          return logouts.logout(request, response, correlationId)
        case paths.backchannelLogout:
          return logouts.backchannelLogout(request, response, correlationId)
        case paths.login:
          if (!isRead) return notAllowed(response, 'GET')
          return begin(request, response, correlationId, url.searchParams.get('return_to') ?? '')
        case paths.callback:
          if (!isRead) return notAllowed(response, 'GET')
          return complete(request, response, correlationId, url)
        case paths.loggedOut:
          return isRead ? logouts.loggedOut(response) : notAllowed(response, 'GET')
        case paths.session:
          return isRead ? tellSession(request, response) : notAllowed(response, 'GET')
      }
      sendJson(response, 404, { title: 'Not Found', status: 404, correlationId })
    },

    close: async () => {},
  }
}

/** An answer that was used, or whose cookie is gone: also what pressing "back" leads to. */
const REPEATS: ReadonlySet<string> = new Set(['state_missing', 'state_used', 'state_expired'])
