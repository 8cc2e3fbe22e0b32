/** One name and value of a form or a query, in the order sent. */
export type FormPair = readonly [name: string, value: string]

export type ParsedForm =
  | {
      readonly ok: true
      readonly pairs: readonly FormPair[]
      /** Names that were sent more than once: an OAuth endpoint refuses them, a search ANDs them. */
      readonly duplicates: readonly string[]
    }
  | { readonly ok: false; readonly reason: 'encoding' | 'too-many'; readonly at: string }

/**
 * Reads `application/x-www-form-urlencoded`, strictly: a broken percent sequence or one that is
 * not UTF-8 is an error instead of being passed on, and so is a NUL. `+` is a space. Empty pairs
 * (`a=1&&b=2`) are skipped.
 *
 * @param maxPairs more than that many is refused with `too-many`
 * @see https://url.spec.whatwg.org/#application/x-www-form-urlencoded
 */
export function parseForm(text: string, maxPairs = 1000): ParsedForm {
  const pairs: FormPair[] = []
  const seen = new Set<string>()
  const duplicates = new Set<string>()
  if (text === '') return { ok: true, pairs, duplicates: [] }
  for (const part of text.split('&')) {
    if (part === '') continue
    if (pairs.length >= maxPairs) return { ok: false, reason: 'too-many', at: String(maxPairs) }
    const equals = part.indexOf('=')
    const name = decode(equals === -1 ? part : part.slice(0, equals))
    const value = equals === -1 ? '' : decode(part.slice(equals + 1))
    if (name === undefined || value === undefined) {
      // The name is repeated only when it could be read: a broken value may be a secret.
      return { ok: false, reason: 'encoding', at: name ?? `parameter ${pairs.length + 1}` }
    }
    if (seen.has(name)) duplicates.add(name)
    seen.add(name)
    pairs.push([name, value])
  }
  return { ok: true, pairs, duplicates: [...duplicates] }
}

function decode(text: string): string | undefined {
  if (!text.includes('%') && !text.includes('+')) return text.includes('\0') ? undefined : text
  try {
    const decoded = decodeURIComponent(text.replaceAll('+', ' '))
    return decoded.includes('\0') ? undefined : decoded
  } catch {
    return undefined
  }
}
