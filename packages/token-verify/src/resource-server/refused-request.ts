import { STATUS_CODES } from 'node:http'
import { type AnyCheck, callerView, wwwAuthenticate } from '@scopegate/checks'

/** What goes back to whoever was refused. @see RFC 9457 */
export interface RefusedRequest {
  readonly ok: false
  /** 401, 403; 400 for a token sent in two ways; 503 when the issuer could not be asked. */
  readonly status: number
  /** `WWW-Authenticate` and the like, as they are sent. */
  readonly headers: Readonly<Record<string, string>>
  /** The body, `application/problem+json`. */
  readonly problem: {
    readonly type: 'about:blank'
    readonly title: string
    readonly status: number
    readonly detail: string
    readonly code?: string
    readonly neededScopes?: readonly string[]
  }
  /** Every check in its order, for the operator: what was expected, what came, what to do. */
  readonly checks: readonly AnyCheck[]
}

export interface Challenging {
  readonly realm: string
  readonly dpopAlgorithms?: readonly string[] | undefined
  /** The request used the scheme DPoP. */
  readonly usedDpop?: boolean
  /** Scopes that would do. */
  readonly scopes?: readonly string[]
}

/** The value of `WWW-Authenticate` for these checks; `undefined` where none helps. @see RFC 6750 §3 */
export function challengeOf(checks: readonly AnyCheck[], how: Challenging): string | undefined {
  const { realm, dpopAlgorithms, usedDpop = false, scopes = [] } = how
  return wwwAuthenticate(checks, {
    realm,
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...(dpopAlgorithms === undefined
      ? {}
      : { dpop: { algorithms: dpopAlgorithms, used: usedDpop } }),
  })
}

/** The answer to a request whose last check failed. */
export function refusedRequest(
  checks: readonly AnyCheck[],
  how: Challenging,
  extra: Readonly<Record<string, string>> = {},
): RefusedRequest {
  const view = callerView(checks)
  const status = view?.status ?? 403
  const challenge = challengeOf(checks, how)
  const isAboutScope = view?.oauthError === 'insufficient_scope'
  return {
    ok: false,
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...(challenge === undefined ? {} : { 'WWW-Authenticate': challenge }),
      ...extra,
    },
    problem: {
      type: 'about:blank',
      title: STATUS_CODES[status] ?? 'Error',
      status,
      detail: view?.text ?? 'not permitted',
      ...(view?.code === undefined ? {} : { code: view.code }),
      ...(isAboutScope && how.scopes !== undefined ? { neededScopes: how.scopes } : {}),
    },
    checks,
  }
}
