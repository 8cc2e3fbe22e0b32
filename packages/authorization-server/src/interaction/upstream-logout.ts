import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Sessions } from '@scopegate/identity'
import { LogoutTokenRefused, type UpstreamLogins } from '@scopegate/oidc-login'
import type { Controller } from '../controller.ts'
import { readForm } from '../pages/read-form.ts'

/** Where a provider posts that a session there has ended; registered there with the redirect URI. */
export function upstreamLogoutPath(provider: string): string {
  return `/oauth/login/${encodeURIComponent(provider)}/backchannel-logout`
}

export interface UpstreamLogoutDeps {
  readonly upstreamLogins: Pick<UpstreamLogins, 'list' | 'verifyLogoutToken'>
  readonly sessions: Pick<Sessions, 'listUpstream'>
  /** Ends a session with all that belongs to it, and tells the apps that want to know. */
  readonly endSession: (sessionId: string) => Promise<void>
  readonly correlationId: (request: IncomingMessage) => string
  readonly onEvent?: (event: UpstreamLogoutEvent) => void
  /** Logout tokens that were refused, and our own failures. */
  readonly onError?: (error: unknown, correlationId: string) => void
}

/** A session here ended because one at a provider did. */
export interface UpstreamLogoutEvent {
  readonly kind: 'signed-out'
  readonly correlationId: string
  readonly userId: string
}

/**
 * Back-channel logout of providers: whoever signs out there is signed out here, and of the apps.
 *
 * @see OpenID Connect Back-Channel Logout 1.0 §2.5, §2.8
 */
export function createUpstreamLogout(deps: UpstreamLogoutDeps): Controller {
  const { upstreamLogins, sessions } = deps
  const providers = new Map(
    upstreamLogins.list().map(({ name }) => [upstreamLogoutPath(name), name] as const),
  )

  async function end(provider: string, token: string, correlationId: string): Promise<void> {
    const ended = await upstreamLogins.verifyLogoutToken(provider, token)
    const { issuer, subject, sessionId } = ended
    const here = await sessions.listUpstream({
      issuer,
      ...(subject === undefined ? {} : { subject }),
      ...(sessionId === undefined ? {} : { sid: sessionId }),
    })
    for (const { id, userId } of here) {
      await deps.endSession(id)
      deps.onEvent?.({ kind: 'signed-out', correlationId, userId })
    }
  }

  return {
    routes: [...providers.keys()],
    owns: (path) => providers.has(path),
    async handle(request, response) {
      const { pathname } = new URL(request.url ?? '', 'http://localhost')
      const provider = providers.get(pathname)
      const correlationId = deps.correlationId(request)
      if (provider === undefined || request.method !== 'POST') {
        response.setHeader('allow', 'POST')
        return answer(response, 405, 'invalid_request', 'logout tokens are posted')
      }
      const token = (await readForm(request)).one('logout_token')
      if (token === undefined) {
        return answer(response, 400, 'invalid_request', 'the form holds no `logout_token`')
      }
      try {
        await end(provider, token, correlationId)
        answer(response, 200)
      } catch (error) {
        deps.onError?.(error, correlationId)
        if (!(error instanceof LogoutTokenRefused)) {
          return answer(response, 500, 'server_error', 'try again')
        }
        const code = error.status === 503 ? 'temporarily_unavailable' : 'invalid_request'
        answer(response, error.status, code, error.reason)
      }
    },
  }
}

function answer(response: ServerResponse, status: number, error?: string, description?: string) {
  response.writeHead(status, {
    'cache-control': 'no-store',
    'content-type': 'application/json',
    'x-content-type-options': 'nosniff',
  })
  response.end(
    error === undefined ? '{}' : JSON.stringify({ error, error_description: description }),
  )
}
