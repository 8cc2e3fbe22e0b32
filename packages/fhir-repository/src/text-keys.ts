import { isCaseSensitive } from '@scopegate/fhir-model'
import { type Key, keyOf } from './keys.ts'

/**
 * PostgreSQL text holds no U+0000, and U+001E and U+001F part the values of a statement; JSON can
 * carry all three, FHIR strings none. Applied to what is stored and to what is asked alike.
 */
export const storable = (text: string): string =>
  UNSTORABLE.test(text) ? text.replace(UNSTORABLE_ALL, '\ufffd') : text
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSTORABLE = /[\u0000\u001e\u001f]/
const UNSTORABLE_ALL = new RegExp(UNSTORABLE, 'g')

const ANY = '*'

/**
 * The ways in which a token may be asked for: by system and code, by either alone. A missing system
 * is asked for as `''`. The marks cannot be mistaken for each other's values.
 */
export const tokenKeys = {
  both: (field: string, system: string, code: string): Key =>
    keyOf(field, '|', system, isCaseSensitive(system) ? code : code.toLowerCase()),
  code: (field: string, code: string): Key => keyOf(field, `${ANY}|`, code),
  /** A code of a system that ignores case, asked for without the system. */
  foldedCode: (field: string, code: string): Key => keyOf(field, '~|', code.toLowerCase()),
  /** The same, asked for as having no system. */
  foldedBare: (field: string, code: string): Key => keyOf(field, '~~|', code.toLowerCase()),
  system: (field: string, system: string): Key => keyOf(field, `|${ANY}`, system),
}

/** Whether a code can be written in another case. */
export const hasCases = (code: string): boolean => code.toLowerCase() !== code.toUpperCase()

export const fieldOf = (type: string, code: string): string => `${type}.${code}`
export const identifierField = (type: string, code: string): string => `${type}.${code}:identifier`
export const ofTypeKey = (field: string, system: string, code: string, value: string): Key =>
  keyOf(field, 'of', system, isCaseSensitive(system) ? code : code.toLowerCase(), value)
export const referenceKey = (field: string, target: string): Key => keyOf(field, target)
export const canonicalKey = (field: string, url: string, version: string): Key =>
  keyOf(field, url, 'v', version)
/** The part of a composite that a token of it is compared as. */
export const tieField = (type: string, code: string, part: 0 | 1): string =>
  `${type}.${code}$${part}`
export const tiedKey = (first: Key, second: Key): Key => keyOf('$', first, second)
export const uriKey = (field: string, uri: string): Key => keyOf(field, uri)
