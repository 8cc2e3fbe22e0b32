/** A member of a JSON object, by its place in the text. */
export interface JsonMember {
  readonly name: string
  /** Where the quote of the name stands. */
  readonly nameStart: number
  readonly valueStart: number
  /** Behind the last character of the value. */
  readonly valueEnd: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * The members of the object that starts at `start`, without parsing what is inside: values keep
 * their exact text, so decimals keep their digits. The text must be valid JSON; that is not checked.
 */
export function jsonMembers(text: string, start = 0): readonly JsonMember[] {
  const members: JsonMember[] = []
  let at = skipSpace(text, text.indexOf('{', start) + 1)
  while (text.charCodeAt(at) === QUOTE) {
    const nameStart = at
    const nameEnd = endOfString(text, at)
    const name = JSON.parse(text.slice(nameStart, nameEnd)) as string
    const valueStart = skipSpace(text, skipSpace(text, nameEnd) + 1)
    const valueEnd = endOfValue(text, valueStart)
    members.push({ name, nameStart, valueStart, valueEnd })
    at = skipSpace(text, valueEnd)
    if (text[at] !== ',') break
    at = skipSpace(text, at + 1)
  }
  return members
}

/** The places of the elements of the array that starts at `start`. */
export function jsonElements(
  text: string,
  start: number,
): readonly { readonly valueStart: number; readonly valueEnd: number }[] {
  const elements: { valueStart: number; valueEnd: number }[] = []
  let at = skipSpace(text, start + 1)
  while (at < text.length && text[at] !== ']') {
    const valueEnd = endOfValue(text, at)
    elements.push({ valueStart: at, valueEnd })
    at = skipSpace(text, valueEnd)
    if (text[at] !== ',') break
    at = skipSpace(text, at + 1)
  }
  return elements
}

/**
 * The same JSON, indented by two spaces; numbers and strings keep their exact text.
 */
export function prettyJson(text: string): string {
  let out = ''
  let depth = 0
  let at = 0
  const newLine = () => `\n${'  '.repeat(depth)}`
  while (at < text.length) {
    const char = text[at]!
    if (char === '"') {
      const end = endOfString(text, at)
      out += text.slice(at, end)
      at = end
      continue
    }
    at += 1
    if (char === '{' || char === '[') {
      const next = skipSpace(text, at)
      if (text[next] === '}' || text[next] === ']') {
        out += char + text[next]
        at = next + 1
      } else {
        depth += 1
        out += char + newLine()
      }
    } else if (char === '}' || char === ']') {
      depth -= 1
      out += newLine() + char
    } else if (char === ',') out += char + newLine()
    else if (char === ':') out += ': '
    else if (!isSpace(char.charCodeAt(0))) out += char
  }
  return `${out}\n`
}

function endOfValue(text: string, start: number): number {
  const first = text[start]
  if (first === '"') return endOfString(text, start)
  if (first !== '{' && first !== '[') {
    let at = start
    while (at < text.length && !',]}'.includes(text[at]!) && !isSpace(text.charCodeAt(at))) at += 1
    return at
  }
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) at = endOfString(text, at) - 1
    else if (char === 0x7b || char === 0x5b) depth += 1
    else if (char === 0x7d || char === 0x5d) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return text.length
}

function endOfString(text: string, start: number): number {
  let end = start
  for (;;) {
    end = text.indexOf('"', end + 1)
    if (end === -1) return text.length
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1
    if (backslashes % 2 === 0) return end + 1
  }
}

function skipSpace(text: string, at: number): number {
  let next = at
  while (isSpace(text.charCodeAt(next))) next += 1
  return next
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}
