export interface DecimalRange {
  readonly value: number
  readonly low: number
  readonly high: number
}

const DECIMAL = /^(-?)(\d{1,40})(?:\.(\d{1,40}))?(?:[eE]([-+]?\d{1,3}))?$/

/**
 * A decimal with the half-open range `[low, high)` that its written precision stands for:
 * `100` is [99.5, 100.5), `1.00` is [0.995, 1.005). The bounds are computed in decimal, so that
 * 5.4 reaches down to exactly 5.35. With an exponent one more digit counts than is written,
 * as in the specification's example: `1e2` is [95, 105).
 *
 * @see https://hl7.org/fhir/R4/search.html#number
 */
export function parseDecimalRange(text: string): DecimalRange | undefined {
  const decimal = parseDecimal(text)
  if (decimal === undefined) return undefined
  const { digits, exponent, scientific } = decimal
  return scientific
    ? rangeOf(digits, exponent, digits * 100n - 5n, digits * 100n + 5n, exponent - 2)
    : rangeOf(digits, exponent, digits * 10n - 5n, digits * 10n + 5n, exponent - 1)
}

/** The range of `ap`: ten per cent to either side, half open. */
export function parseApproximateRange(text: string): DecimalRange | undefined {
  const decimal = parseDecimal(text)
  if (decimal === undefined) return undefined
  const { digits, exponent } = decimal
  const [near, far] = [digits * 9n, digits * 11n]
  return digits < 0n
    ? rangeOf(digits, exponent, far, near, exponent - 1)
    : rangeOf(digits, exponent, near, far, exponent - 1)
}

function parseDecimal(
  text: string,
): { digits: bigint; exponent: number; scientific: boolean } | undefined {
  if (text.length > 90) return undefined
  const match = DECIMAL.exec(text)
  if (match === null) return undefined
  const [, sign, whole, fraction = '', power] = match
  const digits = BigInt(`${whole}${fraction}`)
  return {
    digits: sign === '-' ? -digits : digits,
    exponent: Number(power ?? 0) - fraction.length,
    scientific: power !== undefined,
  }
}

function rangeOf(
  digits: bigint,
  exponent: number,
  lowDigits: bigint,
  highDigits: bigint,
  boundExponent: number,
): DecimalRange | undefined {
  const value = Number(`${digits}e${exponent}`)
  const low = Number(`${lowDigits}e${boundExponent}`)
  const high = Number(`${highDigits}e${boundExponent}`)
  return Number.isFinite(low) && Number.isFinite(high) ? { value, low, high } : undefined
}
