/**
 * Whether an object in this JSON text, at any depth, has the same member twice. Parsers differ in
 * which one they take, so that two readers of one token would see two tokens. The text must be
 * valid JSON already.
 *
 * @see RFC 7519 §4: "or use a JSON parser that returns only the lexically last duplicate member name"; RFC 8725 §2.4
 */
export function repeatsMember(json: string): boolean {
  /** Names per open object; `undefined` for an open list. */
  const open: (Set<string> | undefined)[] = []
  let isName = false
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case OPEN_OBJECT:
        open.push(new Set())
        isName = true
        break
      case OPEN_LIST:
        open.push(undefined)
        isName = false
        break
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        open.pop()
        isName = false
        break
      case COMMA:
        isName = open.at(-1) !== undefined
        break
      case QUOTE: {
        const end = endOfText(json, at)
        const names = isName ? open.at(-1) : undefined
        if (names !== undefined) {
          const raw = json.slice(at, end + 1)
          const name: string = raw.includes('\\') ? JSON.parse(raw) : raw.slice(1, -1)
          if (names.has(name)) return true
          names.add(name)
          isName = false
        }
        at = end
        break
      }
    }
  }
  return false
}

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c]
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d]

function endOfText(json: string, start: number): number {
  let at = start + 1
  while (at < json.length && json.charCodeAt(at) !== QUOTE) {
    at += json.charCodeAt(at) === BACKSLASH ? 2 : 1
  }
  return at
}
