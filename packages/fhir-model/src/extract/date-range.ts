/** A span of time in epoch milliseconds, half open `[fromMs, toMs)`. */
export interface DateRange {
  readonly fromMs: number
  readonly toMs: number
}

const DATE_TIME =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?$/

/**
 * The span that a stored date, dateTime or instant covers: `2024` is the whole year, `2024-02-10`
 * the whole day, in UTC (a date has no zone). A time needs seconds and a zone in R4; without them,
 * or when the date does not exist, the answer is `undefined`. Fractions finer than milliseconds are cut.
 *
 * @see https://hl7.org/fhir/R4/datatypes.html#dateTime
 */
export function storedDateRange(text: string): DateRange | undefined {
  return dateRange(text, false)
}

/**
 * The span that a date in a search covers. As for stored dates, but seconds may be left out and a
 * missing zone is taken as UTC.
 *
 * @see https://hl7.org/fhir/R4/search.html#date
 */
export function searchDateRange(text: string): DateRange | undefined {
  return dateRange(text, true)
}

function dateRange(text: string, search: boolean): DateRange | undefined {
  const match = DATE_TIME.exec(text)
  if (match === null) return undefined
  const [, years, months, days, hours, minutes, seconds, fraction, zone] = match
  const year = Number(years)
  if (year === 0) return undefined
  if (months === undefined) return { fromMs: utc(year, 0, 1), toMs: utc(year + 1, 0, 1) }
  const month = Number(months) - 1
  if (month < 0 || month > 11) return undefined
  if (days === undefined) return { fromMs: utc(year, month, 1), toMs: utc(year, month + 1, 1) }
  const day = Number(days)
  if (day < 1 || day > daysIn(year, month)) return undefined
  const startMs = utc(year, month, day)
  if (hours === undefined) return { fromMs: startMs, toMs: startMs + DAY_MS }

  const hour = Number(hours)
  const minute = Number(minutes)
  const second = seconds === undefined ? 0 : Number(seconds)
  // 60 is a leap second; it covers the first second of the next minute.
  if (hour > 23 || minute > 59 || second > 60) return undefined
  if (!search && (seconds === undefined || zone === undefined)) return undefined
  const offsetMs = zone === undefined || zone === 'Z' ? 0 : zoneMs(zone)
  if (offsetMs === undefined) return undefined
  const fromMs = startMs + hour * 3_600_000 + minute * 60_000 + second * 1000 - offsetMs
  if (seconds === undefined) return { fromMs, toMs: fromMs + 60_000 }
  if (fraction === undefined) return { fromMs, toMs: fromMs + 1000 }
  const ms = Number(fraction.slice(0, 3).padEnd(3, '0'))
  const spanMs = fraction.length === 1 ? 100 : fraction.length === 2 ? 10 : 1
  return { fromMs: fromMs + ms, toMs: fromMs + ms + spanMs }
}

const DAY_MS = 86_400_000
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function daysIn(year: number, month: number): number {
  const leap = month === 1 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return leap ? 29 : MONTH_DAYS[month]!
}

/** `Date.UTC` reads years below 100 as 19xx. */
function utc(year: number, month: number, day: number): number {
  if (year > 100) return Date.UTC(year, month, day)
  const date = new Date(0)
  date.setUTCFullYear(year, month, day)
  return date.getTime()
}

function zoneMs(zone: string): number | undefined {
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(4))
  if (hours > 14 || minutes > 59 || (hours === 14 && minutes > 0)) return undefined
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
