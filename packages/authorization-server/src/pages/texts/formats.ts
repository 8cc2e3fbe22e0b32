/** How one language writes what a partial date says, and which form of a word goes with a count. */
export interface Formats {
  plural(count: number): 'one' | 'other'
  /** A FHIR date or dateTime, or epoch seconds; what is no date is given back as it is. */
  date(value: string | number): string
}

const UTC = { timeZone: 'UTC' } as const
const MONTH = { ...UTC, year: 'numeric', month: 'long' } as const
const DAY = { ...MONTH, day: 'numeric' } as const
const MINUTE = { ...DAY, hour: '2-digit', minute: '2-digit', timeZoneName: 'short' } as const

/**
 * The formats of a language, each made once: a page has a dozen dates, and a format costs more than
 * the rest of the page, most of it in memory that the garbage collector does not see.
 */
export function createFormats(language: string): Formats {
  const formatOf = (options: Intl.DateTimeFormatOptions) =>
    once(() => new Intl.DateTimeFormat(language, options))
  const [month, day, minute] = [formatOf(MONTH), formatOf(DAY), formatOf(MINUTE)]
  const plurals = once(() => new Intl.PluralRules(language))

  return {
    plural: (count) => (plurals().select(count) === 'one' ? 'one' : 'other'),
    date(value) {
      if (typeof value === 'number') return minute().format(value * 1000)
      const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(T.*)?)?)?$/.exec(value)
      if (match === null) return value
      const [, yearPart, monthPart, dayPart] = match
      // A partial date stays partial.
      if (monthPart === undefined) return String(yearPart)
      const date = new Date(`${yearPart}-${monthPart}-${dayPart ?? '01'}T00:00:00Z`)
      if (Number.isNaN(date.getTime())) return value
      return (dayPart === undefined ? month : day)().format(date)
    },
  }
}

/** Made when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => {
    made ??= make()
    return made
  }
}
