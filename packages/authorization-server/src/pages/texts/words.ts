import { html } from 'hono/html'
import { DE } from './de.ts'
import { EN, type TextKey, type Texts } from './en.ts'
import { createFormats } from './formats.ts'

export type Html = ReturnType<typeof html>
type Values = Readonly<Record<string, string | number>>

/** The words of one language, as pages ask for them. */
export interface Words {
  /** A BCP 47 tag, for the `lang` attribute. */
  readonly language: string
  /** A text with its placeholders filled; escaped where it is put into a page. */
  (key: TextKey, values?: Values): string
  /** The same with markup for placeholders: `rich('consent.title', {app: html`<b>…</b>`})`. */
  rich(key: TextKey, values: Readonly<Record<string, Html | string>>): Html
  /** A word that depends on data, `status.` + value; the value itself if there is no word for it. */
  of(prefix: 'status' | 'gender', value: string): string
  /** `3 minutes`: the largest whole unit, rounded up. */
  duration(seconds: number): string
  /** A FHIR date or dateTime, or epoch seconds, as it is written in the language. */
  date(value: string | number): string
  count(key: 'patients.count', count: number): string
}

/** Languages that are complete. The first is used when nothing else is asked for. */
export const LANGUAGES: Readonly<Record<string, Texts>> = { en: EN, de: DE }

/** Texts of an operator, by language; what is missing is taken from ours. */
export type TextOverrides = Readonly<Record<string, Partial<Texts>>>

/** The languages that pages can be written in, the default first. */
export function offeredLanguages(overrides: TextOverrides = {}): readonly string[] {
  return [...new Set([...Object.keys(LANGUAGES), ...Object.keys(overrides)])]
}

export function createWords(language: string, overrides: TextOverrides = {}): Words {
  const texts: Texts = { ...EN, ...LANGUAGES[language], ...overrides[language] }
  const formats = createFormats(language)

  function text(key: TextKey, values: Values = {}): string {
    return texts[key].replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all))
  }
  function rich(key: TextKey, values: Readonly<Record<string, Html | string>>): Html {
    const parts = texts[key].split(/\{(\w+)\}/g)
    return html`${parts.map((part, index) => (index % 2 === 0 ? part : (values[part] ?? `{${part}}`)))}`
  }
  function counted(unit: 'seconds' | 'minutes' | 'hours' | 'days', count: number): string {
    const form = formats.plural(count)
    return text(`time.${unit}.${form}`, { count })
  }

  return Object.assign(text, {
    language,
    rich,
    of: (prefix: string, value: string) => texts[`${prefix}.${value}` as TextKey] ?? value,
    duration(seconds: number): string {
      if (seconds < 100) return counted('seconds', Math.max(1, Math.ceil(seconds)))
      if (seconds < 100 * 60) return counted('minutes', Math.ceil(seconds / 60))
      if (seconds < 48 * 3600) return counted('hours', Math.ceil(seconds / 3600))
      return counted('days', Math.ceil(seconds / 86_400))
    },
    date: formats.date,
    count: (key: 'patients.count', count: number) =>
      text(`${key}.${formats.plural(count)}`, { count }),
  })
}
