import { type Check, failed, passed } from '@scopegate/checks'

/**
 * `exp`, `nbf` and `iat` against the clock. Says nothing of how long a token may live.
 *
 * @param now Epoch seconds.
 */
export function checkTimes(
  times: {
    readonly exp: number
    readonly nbf: number | undefined
    readonly iat: number | undefined
  },
  now: number,
  toleranceSeconds: number,
): Check {
  const { exp, nbf, iat } = times
  const at = (seconds: number) => {
    const date = new Date(seconds * 1000)
    return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString()
  }
  const expected = `server time ${at(now)}, tolerance ${toleranceSeconds} s`
  if (now - toleranceSeconds >= exp) return failed('token_expired', { expected, got: at(exp) })
  if (nbf !== undefined && nbf > now + toleranceSeconds) {
    return failed('token_not_yet_valid', { expected, got: at(nbf) })
  }
  if (iat !== undefined && iat > now + toleranceSeconds) {
    return failed('token_issued_in_future', { expected, got: at(iat) })
  }
  return passed('times')
}
