import { escapeValue } from '@scopegate/fhir-model'

/** One way to understand what was typed, as search parameters that must all hold. */
export type Reading = readonly (readonly [name: string, value: string])[]

const MAX_TEXT = 200
const MAX_WORDS = 8
const DATE = /^\d{4}-\d{2}(?:-\d{2})?$/
const DOTTED_DATE = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/
const YEAR = /^(?:18|19|20)\d{2}$/
const ID = /^[A-Za-z0-9\-.]{1,64}$/

/**
 * How a text typed into the patient picker can be meant, the likeliest first; the first that finds
 * somebody counts. Words are beginnings of name parts, except: a date is a birth date, and a word
 * with a digit is an identifier, an id, a year of birth or, at last, part of a name after all. Where
 * no part begins so, it may stand inside a part, as the second word of a double name does. Words
 * beyond the eighth are left out.
 */
export function patientReadings(text: string): readonly Reading[] {
  const words = wordsOf(text)
  const dates: Reading = words.flatMap((word) => {
    const date = dateOf(word)
    return date === undefined ? [] : [['birthdate', date] as const]
  })
  const rest = words.filter((word) => dateOf(word) === undefined)
  const named = (word: string) => ['name', escapeValue(word)] as const
  const inside = (word: string) =>
    word.length < 3 ? named(word) : (['name:contains', escapeValue(word)] as const)
  const numbered = (word: string) =>
    /\d/.test(word) ? (['identifier', escapeValue(word)] as const) : named(word)
  const born = (word: string) => (YEAR.test(word) ? (['birthdate', word] as const) : named(word))

  const [only] = rest
  const readings: Reading[] = [rest.map(numbered)]
  if (rest.length === 1 && /\d/.test(only!) && ID.test(only!)) readings.push([['_id', only!]])
  readings.push(rest.map(born), rest.map(named))
  if (rest.length > 0) readings.push(rest.map(inside))
  return distinct(readings.map((reading) => [...reading, ...dates]))
}

/** The same for encounters: a date, month or year in which it took place, else an identifier. */
export function encounterReadings(text: string): readonly Reading[] {
  return [
    wordsOf(text).flatMap((word): Reading => {
      const date = YEAR.test(word) ? word : dateOf(word)
      return date === undefined ? [['identifier', escapeValue(word)]] : overlapping(date)
    }),
  ]
}

/** Its period and the date have a moment in common; an encounter without an end lasts. */
function overlapping(date: string): Reading {
  const [year, month, day] = date.split('-').map(Number)
  const start = Date.UTC(year!, (month ?? 1) - 1, day ?? 1)
  const end =
    month === undefined
      ? Date.UTC(year! + 1, 0)
      : day === undefined
        ? Date.UTC(year!, month)
        : start + 86_400_000
  const second = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`
  return [
    ['date', `gt${second(start - 1000)}`],
    ['date', `lt${second(end)}`],
  ]
}

function wordsOf(text: string): readonly string[] {
  return text
    .slice(0, MAX_TEXT)
    .split(/[\s,;\p{Cc}]+/u)
    .filter((word) => word !== '')
    .slice(0, MAX_WORDS)
}

/** `1984-05-06`, `1984-05`, `6.5.1984`, if the calendar has that day. */
function dateOf(word: string): string | undefined {
  const [, day, month, year] = DOTTED_DATE.exec(word) ?? []
  const date =
    year === undefined ? word : `${year}-${month!.padStart(2, '0')}-${day!.padStart(2, '0')}`
  if (!DATE.test(date)) return undefined
  const full = date.length === 7 ? `${date}-01` : date
  const parsed = new Date(`${full}T00:00:00Z`)
  const exists = !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(full)
  return exists ? date : undefined
}

function distinct(readings: readonly Reading[]): readonly Reading[] {
  const seen = new Set<string>()
  return readings.filter((reading) => {
    const key = JSON.stringify(reading)
    return seen.has(key) ? false : seen.add(key)
  })
}
