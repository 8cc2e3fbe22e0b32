import { words } from './access/access-flavour.ts'
import type { LabTokens } from './access/lab-tokens.ts'
import type { LabFault } from './faults.ts'
import type { LabFlavour } from './flavours/flavour.ts'

interface Deps extends Pick<LabTokens, 'find'> {
  readonly flavour: LabFlavour
  readonly faults: ReadonlySet<LabFault>
}

/** What the provider tells of whom an access token is about. @see OpenID Connect Core 1.0 §5.3 */
export function answerUserInfo(request: Request, { find, flavour, faults }: Deps): Response {
  const [, bearer = ''] = /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '') ?? []
  const issued = find(bearer)
  if (issued === undefined) {
    const headers = { 'www-authenticate': 'Bearer error="invalid_token"' }
    return Response.json({ error: 'invalid_token' }, { status: 401, headers })
  }
  const { signIn, grant, claims } = issued
  const scopes = signIn === undefined ? grant.scopes : words(signIn.scope)
  if (!scopes.includes('openid')) {
    const error_description = 'Missing openid scope'
    const headers = { 'www-authenticate': `Bearer error="insufficient_scope"` }
    return Response.json(
      { error: 'insufficient_scope', error_description },
      { status: 403, headers },
    )
  }
  if (signIn === undefined) return Response.json({ sub: claims?.sub ?? grant.client.clientId })
  const sub = flavour.subject(signIn.user, signIn.clientId)
  return Response.json({
    sub: faults.has('other_user_info') ? 'somebody-else' : sub,
    ...flavour.userInfo(signIn),
    ...signIn.user.claims,
  })
}
