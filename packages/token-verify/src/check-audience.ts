import { type Check, failed, passed } from '@scopegate/checks'
import { shown } from './shown.ts'

const PASSED = passed('audience')

/** Whether one of the token's audiences is accepted; a final slash makes no difference. */
export function checkAudience(audience: readonly string[], accepted: readonly string[]): Check {
  const isAccepted = audience.some((value) => {
    const plain = withoutFinalSlash(value)
    return accepted.some((url) => withoutFinalSlash(url) === plain)
  })
  if (isAccepted) return PASSED
  const expected = accepted.map(shown).join(' or ')
  return audience.length === 0
    ? failed('audience_missing', { expected })
    : failed('audience_mismatch', { expected, got: audience.map(shown).join(', ') })
}

function withoutFinalSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url
}
