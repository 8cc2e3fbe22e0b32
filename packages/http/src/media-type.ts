/** A media type with its parameters; type and parameter names in lower case. */
export interface MediaType {
  /** `application/json`, in lower case. */
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/**
 * Reads a `Content-Type`; `undefined` when it is not one.
 * @see RFC 9110 §8.3.1
 */
export function parseMediaType(text: string | null | undefined): MediaType | undefined {
  if (text === null || text === undefined) return undefined
  const [head, ...rest] = splitOutsideQuotes(text, ';')
  const type = head!.trim().toLowerCase()
  const slash = type.indexOf('/')
  if (slash < 1 || !TOKEN.test(type.slice(0, slash)) || !TOKEN.test(type.slice(slash + 1))) {
    return undefined
  }
  const parameters = new Map<string, string>()
  for (const part of rest) {
    const trimmed = part.trim()
    if (trimmed === '') continue
    const equals = trimmed.indexOf('=')
    if (equals < 1) return undefined
    const name = trimmed.slice(0, equals).toLowerCase()
    const value = unquote(trimmed.slice(equals + 1))
    if (!TOKEN.test(name) || value === undefined || parameters.has(name)) return undefined
    parameters.set(name, value)
  }
  return { type, parameters }
}

/** One entry of an `Accept` header. */
export interface AcceptedType extends MediaType {
  /** 0 to 1. */
  readonly quality: number
}

/**
 * Reads an `Accept` header, best first; malformed entries are left out, as RFC 9110 lets a server
 * do. At most 64 entries are looked at.
 * @see RFC 9110 §12.5.1
 */
export function parseAccept(text: string): readonly AcceptedType[] {
  const accepted: AcceptedType[] = []
  for (const part of splitOutsideQuotes(text, ',').slice(0, 64)) {
    const media = parseMediaType(part)
    if (media === undefined) continue
    const weight = media.parameters.get('q')
    const quality =
      weight === undefined ? 1 : /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(weight) ? Number(weight) : 0
    accepted.push({ ...media, quality })
  }
  return accepted.sort((a, b) => b.quality - a.quality)
}

function unquote(text: string): string | undefined {
  if (!text.startsWith('"')) return TOKEN.test(text) ? text : undefined
  if (text.length < 2 || !text.endsWith('"')) return undefined
  return text.slice(1, -1).replace(/\\(.)/g, '$1')
}

function splitOutsideQuotes(text: string, separator: ',' | ';'): string[] {
  if (!text.includes('"')) return text.split(separator)
  const parts: string[] = []
  let quoted = false
  let start = 0
  for (let i = 0; i < text.length; i += 1) {
    if (quoted && text[i] === '\\') i += 1
    else if (text[i] === '"') quoted = !quoted
    else if (!quoted && text[i] === separator) {
      parts.push(text.slice(start, i))
      start = i + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}
