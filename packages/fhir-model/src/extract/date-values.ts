import { storedDateRange } from './date-range.ts'
import type { IndexValue } from './index-value.ts'
import { type Found, isMembers, list } from './members.ts'

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
