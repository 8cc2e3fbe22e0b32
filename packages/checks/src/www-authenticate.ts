import { callerView } from './caller-view.ts'
import type { Check } from './check.ts'

export interface ChallengeOptions {
  readonly realm: string
  /** Space-separated scopes that would do; only sent with `insufficient_scope`. */
  readonly scope?: string
}

/**
 * The value of `WWW-Authenticate` for a refusal; `undefined` when there is none to send (nothing
 * failed, or the instance counts as absent). A request without a token gets the bare challenge.
 *
 * @see RFC 6750 §3
 */
export function wwwAuthenticate(
  checks: readonly Check[],
  { realm, scope }: ChallengeOptions,
): string | undefined {
  const view = callerView(checks)
  if (!view?.challenged) return undefined
  const parameters = [`realm="${quotable(realm)}"`]
  if (view.oauthError !== undefined) {
    parameters.push(`error="${view.oauthError}"`, `error_description="${quotable(view.text)}"`)
    if (view.oauthError === 'insufficient_scope' && scope !== undefined && scope !== '')
      parameters.push(`scope="${quotable(scope)}"`)
  }
  return `Bearer ${parameters.join(', ')}`
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
