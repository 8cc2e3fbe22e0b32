import { type AnyCheck, type CallerDetail, callerView, wwwAuthenticate } from '@scopegate/checks'
import type { Api } from './api.ts'
import { loginPaths } from './login/login-paths.ts'

/** What authenticates here, said to whoever is refused. */
export interface ChallengeFacts {
  readonly checks: readonly AnyCheck[]
  readonly scope?: string | undefined
  readonly dpopAlgorithms: readonly string[] | undefined
  /** How much the caller may read. */
  readonly callers: CallerDetail
  /** The request used the scheme DPoP. */
  readonly usedDpop: boolean
}

/**
 * The values of `WWW-Authenticate`, one per scheme; none where no credentials would help. An error
 * of the token stands in the challenge for tokens only.
 *
 * @see RFC 9110 §11.6.1; RFC 6750 §3; RFC 7617 §2; draft-broyer-http-cookie-auth
 */
export function challengesOf(api: Api, facts: ChallengeFacts): readonly string[] {
  const { checks, scope, dpopAlgorithms, callers, usedDpop } = facts
  const view = callerView(checks, callers)
  if (view === undefined || (view.status !== 401 && view.oauthError === undefined)) return []
  const { schemes, mode } = api.auth
  const takesTokens = mode !== 'login' && schemes.includes('oauth2')
  const bearer = takesTokens
    ? wwwAuthenticate(checks, {
        realm: api.name,
        callers,
        ...(scope === undefined ? {} : { scope }),
        ...(dpopAlgorithms === undefined
          ? {}
          : { dpop: { algorithms: dpopAlgorithms, used: usedDpop } }),
      })
    : undefined
  const isAboutScope = view.oauthError === 'insufficient_scope'
  const basic =
    schemes.includes('basic') && mode !== 'login' && !isAboutScope
      ? `Basic realm="${api.name}", charset="UTF-8"`
      : undefined
  // Browsers pass over schemes that they do not know, and scripts find the way to sign in.
  const cookie =
    mode === 'login' && view.status === 401
      ? `Cookie realm="${api.name}", form-action="${loginPaths(api.path).login}"`
      : undefined
  return [bearer, basic, cookie].filter((each) => each !== undefined)
}
