import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Grants } from '../grants/grants.ts'
import { identityCookieName, readCookie } from './cookies.ts'
import type { EngineDeps, People } from './engine-deps.ts'

/**
 * After the user said yes to signing out: the identity session, which is the one that counts, ends
 * too.
 *
 * @see OpenID Connect RP-Initiated Logout 1.0
 */
export async function endSessionOfBrowser(
  ctx: KoaContextWithOIDC,
  deps: {
    readonly engine: Pick<EngineDeps, 'people' | 'issuer'>
    readonly logOut: (sessionId: string) => Promise<void>
  },
): Promise<void> {
  const isYes = ctx.oidc.params?.logout !== undefined
  if (ctx.status !== 303 || !isYes) return
  const isSecure = deps.engine.issuer.startsWith('https:')
  const name = identityCookieName(isSecure)
  const token = readCookie(ctx.req, name)
  if (token === undefined) return
  const session = await deps.engine.people?.sessions.find(token)
  if (session !== undefined) await deps.logOut(session.id)
  const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=0${isSecure ? '; Secure' : ''}`
  ctx.append('Set-Cookie', `${name}=; ${attributes}`)
}

/**
 * Ends an identity session. Grants with `online_access` end with it, and clients that want to know
 * are told; a client that cannot be reached changes nothing.
 *
 * @see OpenID Connect Back-Channel Logout 1.0 §2.3
 */
export function createLogOut(deps: {
  readonly people: People | undefined
  readonly grants: Grants
  readonly tellClient: (clientId: string, userId: string, grantId: string) => Promise<void>
  readonly onError?: ((error: unknown, correlationId: string) => void) | undefined
}): (sessionId: string) => Promise<void> {
  return async (sessionId) => {
    const grants = await deps.grants.listOfSession(sessionId)
    await deps.people?.sessions.end(sessionId)
    await Promise.all(
      grants.map(async ({ grantId, clientId, userId, scopes }) => {
        if (!scopes.includes('offline_access')) await deps.grants.revoke(grantId, 'logout')
        await deps
          .tellClient(clientId, userId, grantId)
          .catch((error) => deps.onError?.(error, `logout ${clientId}`))
      }),
    )
  }
}
