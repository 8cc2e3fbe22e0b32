/** A place in the text, half open. */
export interface Span {
  readonly from: number
  readonly to: number
}

export interface MemberSpan extends Span {
  /** The name, unescaped. */
  readonly name: string
}

/*
 * These read text that `parseResource` has accepted: they skip what they do not look for without
 * judging it again. Given other text they may answer nonsense, but they always end.
 */

const NOT_SPACE = /[^ \t\r\n]/g
/** Where a string ends, or a value that is no string, object or array. */
const STRING_END = /["\\]/g
const SCALAR_END = /[,}\] \t\r\n]/g
const STRUCTURE = /["{}[\]]/g

/** The members of the object that starts at `from`: name and span of the value. */
export function* readMembers(text: string, from: number): Generator<MemberSpan> {
  let at = skipSpace(text, from + 1)
  while (at < text.length && text[at] !== '}') {
    const nameEnd = skipString(text, at)
    const raw = text.slice(at + 1, nameEnd - 1)
    const name = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1)
    const end = skipValue(text, start)
    yield { name, from: start, to: end }
    at = skipSpace(text, end)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
}

/** The items of the array that starts at `from`. */
export function* readItems(text: string, from: number): Generator<Span> {
  let at = skipSpace(text, from + 1)
  while (at < text.length && text[at] !== ']') {
    const end = skipValue(text, at)
    // No item starts here: this is no array.
    if (end === at) return
    yield { from: at, to: end }
    at = skipSpace(text, end)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
}

/** The first character that is no white space. */
export function skipSpace(text: string, from: number): number {
  return seek(NOT_SPACE, text, from)
}

function skipString(text: string, from: number): number {
  let at = from + 1
  for (;;) {
    at = seek(STRING_END, text, at)
    if (at >= text.length) return at
    if (text[at] === '"') return at + 1
    at += 2
  }
}

function skipValue(text: string, from: number): number {
  const first = text[from]
  if (first === '"') return skipString(text, from)
  if (first !== '{' && first !== '[') return seek(SCALAR_END, text, from)
  let depth = 0
  let at = from
  while (at < text.length) {
    at = seek(STRUCTURE, text, at)
    const sign = text[at]
    if (sign === '"') at = skipString(text, at)
    else {
      at++
      if (sign === '{' || sign === '[') depth++
      else if (--depth === 0) return at
    }
  }
  return at
}

function seek(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from
  return pattern.test(text) ? pattern.lastIndex - 1 : text.length
}
