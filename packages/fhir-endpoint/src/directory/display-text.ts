const MAX_CHARACTERS = 200
// Overrides of the writing direction could show a name other than the one that is stored.
const DIRECTION = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** Stored text as one line for people; `undefined` for what is no text or empty. */
export function displayText(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const line = value
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replace(DIRECTION, '')
    .trim()
  if (line === '') return undefined
  return line.length > MAX_CHARACTERS ? `${line.slice(0, MAX_CHARACTERS - 1)}…` : line
}

/** The members of a stored value that should be a list; of a single value, that. */
export function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  const all = Array.isArray(value) ? value : [value]
  return all.filter(
    (each): each is Record<string, unknown> => typeof each === 'object' && each !== null,
  )
}

/** The words of a CodeableConcept: its text, else a display, else a code. */
export function conceptText(value: unknown): string | undefined {
  const [concept] = listOf(value)
  if (concept === undefined) return undefined
  const codings = listOf(concept.coding)
  return (
    displayText(concept.text) ??
    codings.map(({ display }) => displayText(display)).find((each) => each !== undefined) ??
    codings.map(({ code }) => displayText(code)).find((each) => each !== undefined)
  )
}
