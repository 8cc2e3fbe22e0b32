import { type Check, failed, passed } from '@scopegate/checks'
import { shown } from './shown.ts'

/** Whether one of the token's audiences is accepted; a final slash makes no difference. */
export function checkAudience(audience: readonly string[], accepted: readonly string[]): Check {
  const expected = accepted.map(shown).join(' or ')
  if (audience.length === 0) return failed('audience_missing', { expected })
  const wanted = new Set(accepted.map(withoutFinalSlash))
  if (audience.some((value) => wanted.has(withoutFinalSlash(value)))) return passed('audience')
  return failed('audience_mismatch', { expected, got: audience.map(shown).join(', ') })
}

function withoutFinalSlash(url: string): string {
  return url.endsWith('/') ? url.slice(0, -1) : url
}
