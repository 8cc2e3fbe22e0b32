/** Where a value stands in a text: `text.slice(start, end)`. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * The values of an object's members, or of an array's items, as they stand in the text, so that
 * a part can be cut out unchanged. The text must be valid JSON (it was parsed before).
 */
export function memberSpans(text: string, at: Span): ReadonlyMap<string, Span> {
  const members = new Map<string, Span>()
  let position = skipSpace(text, at.start) + 1
  for (;;) {
    position = skipSpace(text, position)
    if (text[position] === '}') return members
    if (text[position] === ',') {
      position += 1
      continue
    }
    const nameEnd = skipValue(text, position)
    const name = JSON.parse(text.slice(position, nameEnd))
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1)
    const end = skipValue(text, start)
    members.set(name, { start, end })
    position = end
  }
}

/** @see memberSpans */
export function itemSpans(text: string, at: Span): readonly Span[] {
  const items: Span[] = []
  let position = skipSpace(text, at.start) + 1
  for (;;) {
    position = skipSpace(text, position)
    if (text[position] === ']') return items
    if (text[position] === ',') {
      position += 1
      continue
    }
    const end = skipValue(text, position)
    items.push({ start: position, end })
    position = end
  }
}

function skipSpace(text: string, from: number): number {
  let position = from
  while (' \t\n\r'.includes(text[position] ?? 'x')) position += 1
  return position
}

/** The end of the value that starts at `from`. */
function skipValue(text: string, from: number): number {
  const first = text[from]
  if (first === '"') return skipString(text, from)
  if (first !== '{' && first !== '[') {
    let position = from
    while (position < text.length && !',]} \t\n\r'.includes(text[position]!)) position += 1
    return position
  }
  let depth = 0
  let position = from
  for (;;) {
    const character = text[position]
    if (character === undefined) throw new SyntaxError('unexpected end of JSON')
    if (character === '"') {
      position = skipString(text, position)
      continue
    }
    if (character === '{' || character === '[') depth += 1
    if (character === '}' || character === ']') depth -= 1
    position += 1
    if (depth === 0) return position
  }
}

function skipString(text: string, from: number): number {
  let position = from + 1
  for (;;) {
    const quote = text.indexOf('"', position)
    if (quote === -1) throw new SyntaxError('unexpected end of JSON')
    let slashes = 0
    while (text[quote - 1 - slashes] === '\\') slashes += 1
    if (slashes % 2 === 0) return quote + 1
    position = quote + 1
  }
}
