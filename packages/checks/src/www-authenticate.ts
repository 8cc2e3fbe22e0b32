import { type CallerDetail, callerView } from './caller-view.ts'
import type { AnyCheck } from './check.ts'

export interface ChallengeOptions {
  readonly realm: string
  /** Space-separated scopes that would do; only sent with `insufficient_scope`. */
  readonly scope?: string
  /** How much the caller may read; default `standard`. With `minimal` the error alone. */
  readonly callers?: CallerDetail
  /** Set where tokens bound by DPoP are accepted, which the challenge then offers as well. */
  readonly dpop?: {
    readonly algorithms: readonly string[]
    /** Whether the request used the scheme, so that the error is told under it. */
    readonly used: boolean
  }
}

/**
 * The value of `WWW-Authenticate` for a refusal; `undefined` when there is none to send (nothing
 * failed, or the instance counts as absent). A request without a token gets the bare challenge.
 *
 * @see RFC 6750 §3; RFC 9449 §7.1, §7.2
 */
export function wwwAuthenticate(
  checks: readonly AnyCheck[],
  { realm, scope, dpop, callers }: ChallengeOptions,
): string | undefined {
  const view = callerView(checks, callers)
  if (!view?.challenged) return undefined
  const named = `realm="${quotable(realm)}"`
  const parameters = [named]
  if (view.oauthError !== undefined) {
    parameters.push(`error="${view.oauthError}"`)
    if (callers !== 'minimal') {
      parameters.push(`error_description="${quotable(view.text)}"`)
      if (view.oauthError === 'insufficient_scope' && scope !== undefined && scope !== '')
        parameters.push(`scope="${quotable(scope)}"`)
    }
  }
  if (dpop === undefined) return `Bearer ${parameters.join(', ')}`
  const algorithms = `algs="${dpop.algorithms.join(' ')}"`
  const isAboutDpop = dpop.used || view.code?.startsWith('dpop_') === true
  return isAboutDpop
    ? `DPoP ${[...parameters, algorithms].join(', ')}, Bearer ${named}`
    : `Bearer ${parameters.join(', ')}, DPoP ${named}, ${algorithms}`
}

// RFC 6750 §3: error_description is %x20-21 / %x23-5B / %x5D-7E, so neither quotes nor backslashes,
// not even escaped; every other character would let a value end the header.
function quotable(text: string): string {
  return text
    .replaceAll('"', "'")
    .replaceAll('\\', '/')
    .replaceAll(/[^\x20-\x7e]/g, '?')
    .slice(0, 1000)
}
