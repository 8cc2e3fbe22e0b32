import { coversTogether, formatScope, meet, parseScopes } from '@scopegate/smart-scopes'
import type { KoaContextWithOIDC, RefreshToken } from 'oidc-provider'
import { factsOf } from '../engine/engine-client.ts'
import type { EngineDeps, RequestState } from '../engine/engine-deps.ts'
import { invalidGrant, invalidScope, invalidTarget } from '../engine-errors.ts'
import type { LaunchGrant } from '../grants/grants.ts'
import { describable } from '../token/token-refusal.ts'
import { answerBefore } from './answer-before.ts'

/**
 * What must hold for a refresh beside client, key and expiry, judged before the token is used up: a
 * refresh that is refused for another reason can be repeated.
 */
export async function checkRefresh(
  ctx: KoaContextWithOIDC,
  token: RefreshToken,
  grant: LaunchGrant,
  deps: Pick<EngineDeps, 'people' | 'refreshAnswers'>,
): Promise<void> {
  if ((token as { consumed?: unknown }).consumed !== undefined) {
    await answerBefore(ctx, token.jti, deps.refreshAnswers)
    // The engine ends the grant, since somebody else may have used the token.
    return
  }
  if (!token.scopes.has('offline_access')) await checkSession(grant, deps)
  checkResource(ctx, token)
  const scope = narrowRefresh({
    granted: grant.scopes.join(' '),
    requested: (ctx.state as RequestState).requestedScope,
    registered: factsOf(ctx.oidc.client).scopes,
  })
  if (scope !== undefined) (ctx.state as RequestState).narrowedScope = scope
}

/** The engine judges it only when the token is used up. @see RFC 8707 §2.2 */
function checkResource(ctx: KoaContextWithOIDC, token: RefreshToken): void {
  const asked = [ctx.oidc.params?.resource ?? []].flat()
  const other = asked.find((resource) => !token.resourceIndicators.has(String(resource)))
  if (other === undefined) return
  const granted = [...token.resourceIndicators].join(' ')
  throw invalidTarget(`the refresh token is for ${granted}: leave \`resource\` out`, {
    code: 'resource_unknown',
    expected: granted,
    got: String(other).slice(0, 200),
    fix: 'leave `resource` out, or launch the app for the other API',
  })
}

/** `online_access` lasts as long as the session. @see SMART 2.2, refresh */
async function checkSession(grant: LaunchGrant, { people }: Pick<EngineDeps, 'people'>) {
  const { sessionId } = grant
  if (sessionId !== undefined && (await people?.sessions.isAlive(sessionId))) return
  throw invalidGrant({
    code: 'session_over',
    told: 'the user is no longer signed in, and online_access lasts only so long: launch the app again',
  })
}

/**
 * The scope of the new access token, if it is less than what was granted: what the refresh asks for,
 * and what the client is still registered for. Judged on what scopes mean: part of a scope is within
 * it.
 *
 * @see RFC 6749 §6
 * @throws invalid_scope when more is asked for than was granted.
 */
export function narrowRefresh(scopes: {
  readonly granted: string
  readonly requested: string | undefined
  readonly registered: string
}): string | undefined {
  const granted = parseScopes(scopes.granted).scopes
  const registered = parseScopes(scopes.registered).scopes
  const asked = scopes.requested === undefined ? undefined : parseScopes(scopes.requested)
  const beyond = [
    ...(asked?.problems.map(({ text }) => text) ?? []),
    ...(asked?.scopes.filter((scope) => !coversTogether(granted, scope)).map(formatScope) ?? []),
  ]
  if (beyond.length > 0) {
    const told = `a refresh cannot ask for more than was granted: ${beyond.join(' ')}`
    throw invalidScope(describable(told), {
      code: 'scope_not_registered',
      expected: scopes.granted,
      got: beyond.join(' '),
      fix: 'leave `scope` out, or ask for a part of what was granted',
      told,
    })
  }
  const wanted = asked?.scopes ?? granted
  const left = wanted.flatMap((scope) => meet([scope], registered).granted.map(formatScope))
  const text = [...new Set(left)].join(' ')
  if (text === '') {
    throw invalidScope('the client is no longer registered for any of the granted scopes', {
      code: 'scope_not_registered',
      expected: scopes.registered,
      got: scopes.granted,
    })
  }
  return text === scopes.granted ? undefined : text
}
