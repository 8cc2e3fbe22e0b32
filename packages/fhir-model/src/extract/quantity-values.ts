import type { QuantityIndexValue } from './index-value.ts'
import { type Found, isMembers, type Members, textOf } from './members.ts'
import { numberOf } from './number-of.ts'

export function numberPlain(given: unknown, found: Found): void {
  const value = numberOf(given)
  if (value !== undefined) found.push({ kind: 'number', value, low: value, high: value })
}

export function numberRange(given: unknown, found: Found): void {
  const range = rangeOf(given)
  if (range !== undefined) {
    const { value, low, high } = range
    found.push({ kind: 'number', value, low, high })
  }
}

export function numberExtension(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  numberPlain(value.valueDecimal ?? value.valueInteger, found)
  numberRange(value.valueRange, found)
}

/** The code system of Money. */
export const CURRENCIES = 'urn:iso:std:iso:4217'

export function quantityPlain(given: unknown, found: Found): void {
  if (!isMembers(given)) return
  const value = numberOf(given.value)
  if (value === undefined) return
  const { comparator } = given
  if (comparator === undefined) {
    found.push({ kind: 'quantity', value, low: value, high: value, ...unitOf(given) })
    return
  }
  const below = comparator === '<' || comparator === '<='
  if (!below && comparator !== '>' && comparator !== '>=') return
  found.push({
    kind: 'quantity',
    value,
    low: below ? Number.NEGATIVE_INFINITY : value,
    high: below ? value : Number.POSITIVE_INFINITY,
    comparator,
    ...unitOf(given),
  })
}

type Unit = Pick<QuantityIndexValue, 'system' | 'code' | 'unit'>

function unitOf(quantity: Members): Unit {
  const unit: { system?: string; code?: string; unit?: string } = {}
  const system = textOf(quantity.system)
  const code = textOf(quantity.code)
  const human = textOf(quantity.unit)
  if (system !== undefined) unit.system = system
  if (code !== undefined) unit.code = code
  if (human !== undefined) unit.unit = human
  return unit
}

export function quantityMoney(given: unknown, found: Found): void {
  if (!isMembers(given)) return
  const value = numberOf(given.value)
  if (value === undefined) return
  const code = textOf(given.currency)
  const unit = code === undefined ? {} : { system: CURRENCIES, code }
  found.push({ kind: 'quantity', value, low: value, high: value, ...unit })
}

export function quantityRange(given: unknown, found: Found): void {
  const range = rangeOf(given)
  if (range !== undefined) found.push({ kind: 'quantity', ...range })
}

/** Low and high of a Range; the value is the end that is there, or the middle. */
function rangeOf(
  given: unknown,
): ({ value: number; low: number; high: number } & Unit) | undefined {
  if (!isMembers(given)) return undefined
  const { low, high } = given
  const from = isMembers(low) ? numberOf(low.value) : undefined
  const to = isMembers(high) ? numberOf(high.value) : undefined
  if (from === undefined && to === undefined) return undefined
  // An end that is there without a number says nothing that could be compared.
  if ((low !== undefined && from === undefined) || (high !== undefined && to === undefined))
    return undefined
  return {
    value: from === undefined ? to! : to === undefined ? from : from + (to - from) / 2,
    low: from ?? Number.NEGATIVE_INFINITY,
    high: to ?? Number.POSITIVE_INFINITY,
    ...unitOf((from === undefined ? high : low) as Members),
  }
}

/** "Just search on the bounding values in sampled data." */
export function quantitySampled(given: unknown, found: Found): void {
  if (!isMembers(given)) return
  const low = numberOf(given.lowerLimit)
  const high = numberOf(given.upperLimit)
  const { origin } = given
  if ((low === undefined && high === undefined) || !isMembers(origin)) return
  found.push({
    kind: 'quantity',
    value: low === undefined ? high! : high === undefined ? low : low + (high - low) / 2,
    low: low ?? Number.NEGATIVE_INFINITY,
    high: high ?? Number.POSITIVE_INFINITY,
    ...unitOf(origin),
  })
}

export function quantityExtension(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  quantityPlain(value.valueQuantity ?? value.valueAge ?? value.valueDuration, found)
  quantityRange(value.valueRange, found)
  quantityMoney(value.valueMoney, found)
}
