import { isCaseSensitive } from '../definitions/is-case-sensitive.ts'
import type { TokenIndexValue } from '../extract/index-value.ts'

/** Whether the code of a stored token differs from the same in another case. */
export function isCaseSensitiveToken(token: TokenIndexValue): boolean {
  return token.ignoresCase !== true && isCaseSensitive(token.system ?? token.impliedSystem)
}

/** Whether two codes of `system` are the same code. */
export function sameCode(system: string | undefined, a: string, b: string): boolean {
  return a === b || (!isCaseSensitive(system) && a.toLowerCase() === b.toLowerCase())
}

/** The form in which a code of `system` is compared: equal for the codes that `sameCode` equates. */
export function normalCode(system: string | undefined, code: string): string {
  return isCaseSensitive(system) ? code : code.toLowerCase()
}
