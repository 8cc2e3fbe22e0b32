import { type AnyCheck, callerView, wwwAuthenticate } from '@scopegate/checks'
import type { Api } from './api.ts'

/** What authenticates here, said to whoever is refused. */
export interface ChallengeFacts {
  readonly checks: readonly AnyCheck[]
  readonly scope?: string | undefined
  readonly dpopAlgorithms: readonly string[] | undefined
  /** The request used the scheme DPoP. */
  readonly usedDpop: boolean
}

/**
 * The values of `WWW-Authenticate`, one per scheme; none where no credentials would help. An error
 * of the token stands in the challenge for tokens only.
 *
 * @see RFC 9110 §11.6.1; RFC 6750 §3; RFC 7617 §2
 */
export function challengesOf(api: Api, facts: ChallengeFacts): readonly string[] {
  const { checks, scope, dpopAlgorithms, usedDpop } = facts
  const view = callerView(checks)
  if (view === undefined || (view.status !== 401 && view.oauthError === undefined)) return []
  const { schemes, mode } = api.auth
  const takesTokens = mode !== 'login' && schemes.includes('oauth2')
  const bearer = takesTokens
    ? wwwAuthenticate(checks, {
        realm: api.name,
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
  return [bearer, basic].filter((each) => each !== undefined)
}
