/**
 * From one element to index values. The generated extractors call these; each takes whatever the
 * JSON holds and answers nothing for what is missing or malformed: a value that cannot be judged
 * must not match.
 */
import { storedDateRange } from './date-range.ts'
import { foldString } from './fold-string.ts'
import type { IndexValue, QuantityIndexValue, TokenIndexValue } from './index-value.ts'
import { numberOf } from './number-of.ts'
import { parseCanonical, parseReference, referencedType } from './parse-reference.ts'

type Found = IndexValue[]
type Members = Readonly<Record<string, unknown>>
const NOTHING: readonly never[] = Object.freeze([])

/** An array as it is; everything else as empty. */
// biome-ignore lint/suspicious/noExplicitAny: the generated code looks into it with `?.` only.
export function list(value: unknown): readonly any[] {
  return Array.isArray(value) ? value : NOTHING
}

/** The extensions of an element with this URL. */
export function extensions(element: unknown, url: string): readonly Members[] {
  const all = isMembers(element) ? list(element.extension) : NOTHING
  return all.length === 0 ? NOTHING : all.filter((one) => isMembers(one) && one.url === url)
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

// ── token ───────────────────────────────────────────────────────────────────────────────────────

function token(system: string | undefined, code: string | undefined): TokenIndexValue | undefined {
  if (system === undefined) return code === undefined ? undefined : { kind: 'token', code }
  return code === undefined ? { kind: 'token', system } : { kind: 'token', system, code }
}

export function tokenCode(value: unknown, found: Found, impliedSystem?: string): void {
  const code = textOf(value)
  if (code === undefined) return
  found.push(
    impliedSystem === undefined ? { kind: 'token', code } : { kind: 'token', impliedSystem, code },
  )
}

export function tokenText(value: unknown, found: Found): void {
  const code = textOf(value)
  if (code !== undefined) found.push({ kind: 'token', code })
}

export function tokenBoolean(value: unknown, found: Found): void {
  if (typeof value === 'boolean') found.push({ kind: 'token', code: value ? 'true' : 'false' })
}

export function tokenCoding(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  const one = token(textOf(value.system), textOf(value.code))
  if (one !== undefined) found.push(one)
}

export function tokenConcept(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  for (const coding of list(value.coding)) tokenCoding(coding, found)
}

export function tokenIdentifier(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  const one = token(textOf(value.system), textOf(value.value))
  if (one === undefined) return
  const type = value.type
  if (type === undefined) {
    found.push(one)
    return
  }
  const codings: IndexValue[] = []
  tokenConcept(type, codings)
  const types = (codings as TokenIndexValue[]).map(({ kind: _, ...coding }) => coding)
  found.push(types.length === 0 ? one : { ...one, types })
}

/** The system of a ContactPoint (`phone`) is no code system and is not searched. */
export function tokenContact(value: unknown, found: Found): void {
  if (isMembers(value)) tokenText(value.value, found)
}

export function tokenCurrency(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  const code = textOf(value.currency)
  if (code !== undefined) found.push({ kind: 'token', system: CURRENCIES, code })
}

export function tokenExtension(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  tokenConcept(value.valueCodeableConcept, found)
  tokenCoding(value.valueCoding, found)
  tokenIdentifier(value.valueIdentifier, found)
  tokenBoolean(value.valueBoolean, found)
  for (const name of TOKEN_TEXTS) tokenText(value[name], found)
}
const TOKEN_TEXTS = ['valueCode', 'valueString', 'valueId', 'valueUri', 'valueOid', 'valueUuid']

// ── date ────────────────────────────────────────────────────────────────────────────────────────

export function dateText(value: unknown, found: Found): void {
  if (typeof value !== 'string') return
  const range = storedDateRange(value)
  if (range !== undefined) found.push({ kind: 'date', fromMs: range.fromMs, toMs: range.toMs })
}

/** A missing end is open. An end that cannot be read leaves no value: it is not an open one. */
export function datePeriod(value: unknown, found: Found): void {
  const period = periodRange(value)
  if (period !== undefined) found.push({ kind: 'date', ...period })
}

function periodRange(value: unknown): { fromMs: number; toMs: number } | undefined {
  if (!isMembers(value)) return undefined
  const { start, end } = value
  if (start === undefined && end === undefined) return undefined
  let fromMs = Number.NEGATIVE_INFINITY
  let toMs = Number.POSITIVE_INFINITY
  if (start !== undefined) {
    const range = typeof start === 'string' ? storedDateRange(start) : undefined
    if (range === undefined) return undefined
    fromMs = range.fromMs
  }
  if (end !== undefined) {
    const range = typeof end === 'string' ? storedDateRange(end) : undefined
    if (range === undefined) return undefined
    toMs = range.toMs
  }
  return fromMs < toMs ? { fromMs, toMs } : undefined
}

/**
 * "The specified scheduling details are ignored and only the outer limits matter."
 * @see https://hl7.org/fhir/R4/search.html#date
 */
export function dateTiming(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  let fromMs = Number.POSITIVE_INFINITY
  let toMs = Number.NEGATIVE_INFINITY
  const spans: IndexValue[] = []
  for (const event of list(value.event)) dateText(event, spans)
  const { repeat } = value
  if (isMembers(repeat)) datePeriod(repeat.boundsPeriod, spans)
  for (const span of spans) {
    if (span.kind !== 'date') continue
    fromMs = Math.min(fromMs, span.fromMs)
    toMs = Math.max(toMs, span.toMs)
  }
  if (fromMs < toMs) found.push({ kind: 'date', fromMs, toMs })
}

export function dateExtension(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  dateText(value.valueDate, found)
  dateText(value.valueDateTime, found)
  dateText(value.valueInstant, found)
  datePeriod(value.valuePeriod, found)
  dateTiming(value.valueTiming, found)
}

// ── string ──────────────────────────────────────────────────────────────────────────────────────

export function stringText(value: unknown, found: Found): void {
  const exact = textOf(value)
  if (exact !== undefined) found.push({ kind: 'string', folded: foldString(exact), exact })
}

export function stringName(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  stringText(value.text, found)
  stringText(value.family, found)
  for (const part of list(value.given)) stringText(part, found)
  for (const part of list(value.prefix)) stringText(part, found)
  for (const part of list(value.suffix)) stringText(part, found)
}

export function stringAddress(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  stringText(value.text, found)
  for (const line of list(value.line)) stringText(line, found)
  for (const name of ADDRESS_PARTS) stringText(value[name], found)
}
const ADDRESS_PARTS = ['city', 'district', 'state', 'postalCode', 'country']

export function stringExtension(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  for (const name of STRING_VALUES) stringText(value[name], found)
  stringName(value.valueHumanName, found)
  stringAddress(value.valueAddress, found)
}
const STRING_VALUES = ['valueString', 'valueMarkdown', 'valueCode']

// ── number and quantity ─────────────────────────────────────────────────────────────────────────

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

const CURRENCIES = 'urn:iso:std:iso:4217'

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

// ── uri ─────────────────────────────────────────────────────────────────────────────────────────

export function uriText(value: unknown, found: Found): void {
  const uri = textOf(value)
  if (uri !== undefined) found.push({ kind: 'uri', uri })
}

export function uriExtension(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  for (const name of URI_VALUES) uriText(value[name], found)
}
const URI_VALUES = ['valueUri', 'valueUrl', 'valueCanonical', 'valueOid', 'valueUuid']

// ── reference ───────────────────────────────────────────────────────────────────────────────────

export function referencePlain(value: unknown, found: Found, base: string | undefined): void {
  if (!isMembers(value)) return
  const text = textOf(value.reference)
  const place = text === undefined ? undefined : parseReference(text, base)
  const given = value.identifier
  if (given === undefined) {
    if (place !== undefined) found.push({ kind: 'reference', ...place })
    return
  }
  const identifier: { system?: string; value?: string } = {}
  if (isMembers(given)) {
    const system = textOf(given.system)
    const code = textOf(given.value)
    if (system !== undefined) identifier.system = system
    if (code !== undefined) identifier.value = code
  }
  const known = identifier.system !== undefined || identifier.value !== undefined
  if (known) found.push({ kind: 'reference', ...place, identifier })
  else if (place !== undefined) found.push({ kind: 'reference', ...place })
}

export function referenceCanonical(value: unknown, found: Found, base: string | undefined): void {
  const text = textOf(value)
  const place = text === undefined ? undefined : parseCanonical(text, base)
  if (place !== undefined) found.push({ kind: 'reference', ...place })
}

/** A resource in place of a reference to it (`Bundle.entry[0].resource`). */
export function referenceInline(value: unknown, found: Found, _base: string | undefined): void {
  if (!isMembers(value)) return
  const { resourceType, id } = value
  if (typeof resourceType !== 'string' || typeof id !== 'string') return
  const place = parseReference(`${resourceType}/${id}`)
  if (place !== undefined) found.push({ kind: 'reference', ...place })
}

export function referenceExtension(value: unknown, found: Found, base: string | undefined): void {
  if (!isMembers(value)) return
  referencePlain(value.valueReference, found, base)
  referenceCanonical(value.valueCanonical ?? value.valueUri, found, base)
}

/**
 * `resolve() is T`, decided from the text of the reference, or from `Reference.type` where the text
 * names no type (`urn:uuid:…`, identifier only). Never resolves anything.
 */
export function leadsTo(value: unknown, type: string): boolean {
  if (!isMembers(value)) return false
  const { reference } = value
  if (typeof reference === 'string') {
    if (reference.startsWith(type) && reference[type.length] === '/') return true
    const named = referencedType(reference)
    if (named !== undefined) return named === type
  }
  return value.type === type
}

// ── composite ───────────────────────────────────────────────────────────────────────────────────

export function composite(found: Found, parts: readonly (readonly IndexValue[])[]): void {
  for (const part of parts) if (part.length === 0) return
  found.push({ kind: 'composite', parts })
}
