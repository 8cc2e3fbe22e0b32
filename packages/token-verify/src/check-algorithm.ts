import { type Check, failed } from '@scopegate/checks'
import { SIGNATURE_ALGORITHMS } from './algorithms.ts'
import type { Issuer } from './issuer.ts'
import type { ReadToken } from './read-token.ts'
import { shown } from './shown.ts'

/** The algorithm of the token, if its issuer may use it; the failed check, if not. @see RFC 8725 §3.1 */
export function checkAlgorithm({ header }: ReadToken, issuer: Issuer): string | Check {
  const accepted = issuer.algorithms ?? SIGNATURE_ALGORITHMS
  const expected = accepted.join(', ')
  const alg = header.alg
  if (typeof alg === 'string' && alg.toLowerCase() === 'none') {
    return failed('algorithm_none', { expected })
  }
  if (typeof alg !== 'string' || !accepted.includes(alg)) {
    return failed('algorithm_not_allowed', {
      expected,
      got: alg === undefined ? 'none given' : shown(alg),
    })
  }
  return alg
}
