import { type Check, failed, passed } from '@scopegate/checks'

type TimesCode = 'token_expired' | 'token_not_yet_valid' | 'token_issued_in_future'

const PASSED = passed('times')

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
  const refuse = (code: TimesCode, time: number): Check =>
    failed(code, {
      expected: `server time ${iso(now)}, tolerance ${toleranceSeconds} s`,
      got: iso(time),
    })
  if (now - toleranceSeconds >= exp) return refuse('token_expired', exp)
  if (nbf !== undefined && nbf > now + toleranceSeconds) {
    return refuse('token_not_yet_valid', nbf)
  }
  if (iat !== undefined && iat > now + toleranceSeconds) {
    return refuse('token_issued_in_future', iat)
  }
  return PASSED
}

function iso(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString()
}
