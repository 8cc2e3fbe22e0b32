const MAX_CHARACTERS = 120
// What could change how the text around it reads: controls, and marks of the writing direction.
const DECEPTIVE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+/gu

/** Text that a client chose, fit to stand inside a sentence: one line, bounded, never empty. */
export function showText(text: string): string {
  const line = String(text).replace(DECEPTIVE, '\ufffd').trim()
  if (line === '') return '“”'
  const characters = [...line]
  return characters.length > MAX_CHARACTERS
    ? `${characters.slice(0, MAX_CHARACTERS - 1).join('')}…`
    : line
}

/** `a, b and c`. */
export function joinWords(words: readonly string[], last: string): string {
  return words.length < 2
    ? (words[0] ?? '')
    : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`
}

/** Puts values into the `{name}`s of a template; what is put in is not looked at again. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? values[name]! : whole,
  )
}

/** The word of a table, never a member of its prototype. */
export function lookUp<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}
