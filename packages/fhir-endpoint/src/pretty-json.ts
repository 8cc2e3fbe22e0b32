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

function endOfString(text: string, start: number): number {
  let end = start
  for (;;) {
    end = text.indexOf('"', end + 1)
    if (end === -1) return text.length
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes += 1
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
