/**
 * The pieces of `text` between unescaped `separator`s. Escapes stay in the pieces, so that a piece
 * can be split again by another separator. Linear in the length of the text.
 *
 * @see https://hl7.org/fhir/R4/search.html#escaping
 */
export function splitUnescaped(text: string, separator: ',' | '$' | '|'): string[] {
  const pieces: string[] = []
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === separator) {
      pieces.push(text.slice(start, i))
      start = i + 1
    }
  }
  pieces.push(text.slice(start))
  return pieces
}

/** Resolves `\,` `\$` `\|` `\\`. A backslash before anything else stands for itself. */
export function unescapeValue(text: string): string {
  if (!text.includes('\\')) return text
  let plain = ''
  for (let i = 0; i < text.length; i++) {
    const next = text[i + 1]
    if (text[i] === '\\' && next !== undefined && ',$|\\'.includes(next)) i++
    plain += text[i]
  }
  return plain
}

/** The inverse of `unescapeValue`, for values that are written into a search. */
export function escapeValue(plain: string): string {
  return plain.replace(/[\\,$|]/g, '\\$&')
}
