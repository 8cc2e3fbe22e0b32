import type { AuthenticatedClient } from '../lab-client.ts'
import type { IssuedToken } from './lab-tokens.ts'
import type { TokenProblem } from './token-problem.ts'

/** What tells about tokens, and ends them. */
export interface TokenReaders {
  introspect(request: Request): Promise<Response>
  revoke(request: Request): Promise<Response>
  tokenInfo(request: Request): Promise<Response>
}

interface Deps {
  readonly find: (token: string) => IssuedToken | undefined
  readonly revoke: (token: string) => boolean
  readonly now: () => number
  readonly authenticate: (
    request: Request,
    form: URLSearchParams,
    path: string,
  ) => AuthenticatedClient | TokenProblem
  readonly answer: (request: Request, problem: TokenProblem) => Response
}

/** @see RFC 7662; RFC 7009; https://developers.google.com/identity/sign-in/web/backend-auth */
export function createTokenReaders({
  find,
  revoke,
  now,
  authenticate,
  answer,
}: Deps): TokenReaders {
  return {
    async introspect(request) {
      const form = new URLSearchParams(await request.text())
      const found = authenticate(request, form, new URL(request.url).pathname)
      if ('problem' in found) return answer(request, found)
      if (found.proof === 'none') {
        return answer(request, { problem: 'secret_missing', clientId: found.client.clientId })
      }
      const issued = find(form.get('token') ?? '')
      if (issued === undefined) return Response.json({ active: false })
      const { grant, claims } = issued
      return Response.json({
        active: true,
        token_type: 'Bearer',
        client_id: grant.client.clientId,
        username: grant.user?.email ?? grant.client.clientId,
        scope: grant.scopes.join(' '),
        ...claims,
      })
    },

    async revoke(request) {
      const form = new URLSearchParams(await request.text())
      const query = new URL(request.url).searchParams
      revoke(form.get('token') ?? query.get('token') ?? '')
      return new Response(null, { status: 200 })
    },

    async tokenInfo(request) {
      const form = new URLSearchParams(request.method === 'POST' ? await request.text() : '')
      const query = new URL(request.url).searchParams
      const issued = find(form.get('access_token') ?? query.get('access_token') ?? '')
      if (issued === undefined) {
        const body = { error: 'invalid_token', error_description: 'Invalid Value' }
        return Response.json(body, { status: 400 })
      }
      const { client, user, subject, scopes, expiresAt } = issued.grant
      // Google spells numbers and truth as texts.
      return Response.json({
        azp: client.clientId,
        aud: client.clientId,
        sub: subject ?? client.clientId,
        scope: scopes.join(' '),
        exp: String(expiresAt),
        expires_in: String(expiresAt - now()),
        ...(user === undefined
          ? {}
          : { email: user.email, email_verified: String(user.emailVerified) }),
        access_type: 'online',
      })
    },
  }
}
