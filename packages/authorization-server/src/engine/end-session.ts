import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Grants } from '../grants/grants.ts'
import { identityCookieName, readCookie } from './cookies.ts'
import type { EngineDeps, People } from './engine-deps.ts'
import { ROUTES } from './routes.ts'

interface EndSessionDeps {
  readonly engine: Pick<EngineDeps, 'people' | 'issuer' | 'pages'>
  readonly logOut: (sessionId: string) => Promise<void>
}

/**
 * Asks before a session ends. The engine asks only where it has a session of its own; without one
 * it sends its form by itself, and any page could sign people out.
 */
export async function askBeforeLogout(
  ctx: KoaContextWithOIDC,
  deps: EndSessionDeps,
): Promise<void> {
  const { session } = ctx.oidc
  const secret = (session?.state as { secret?: string } | undefined)?.secret
  const hasAsked = session === undefined || session.accountId !== undefined
  if (ctx.status !== 200 || hasAsked || secret === undefined) return
  if ((await sessionOfBrowser(ctx, deps)) === undefined) return
  const action = `${deps.engine.issuer}${ROUTES.end_session}/confirm`
  const field = `<input type="hidden" name="xsrf" value="${secret}"/>`
  const form = `<form id="op.logoutForm" method="post" action="${action}">${field}</form>`
  await deps.engine.pages.renderLogoutPage(ctx, form)
}

async function sessionOfBrowser(ctx: KoaContextWithOIDC, { engine }: EndSessionDeps) {
  const token = readCookie(ctx.req, identityCookieName(engine.issuer.startsWith('https:')))
  return token === undefined ? undefined : engine.people?.sessions.find(token)
}

/**
 * After the user said yes to signing out: the identity session, which is the one that counts, ends
 * too.
 *
 * @see OpenID Connect RP-Initiated Logout 1.0
 */
export async function endSessionOfBrowser(
  ctx: KoaContextWithOIDC,
  deps: EndSessionDeps,
): Promise<void> {
  const isYes = ctx.oidc.params?.logout !== undefined
  if (ctx.status !== 303 || !isYes) return
  const session = await sessionOfBrowser(ctx, deps)
  if (session !== undefined) await deps.logOut(session.id)
  const isSecure = deps.engine.issuer.startsWith('https:')
  const attributes = `Path=/; HttpOnly; SameSite=Lax; Max-Age=0${isSecure ? '; Secure' : ''}`
  ctx.append('Set-Cookie', `${identityCookieName(isSecure)}=; ${attributes}`)
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
