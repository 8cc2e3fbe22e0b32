/** What a pointer leads to in a parsed document. @see [RFC 6901](https://www.rfc-editor.org/rfc/rfc6901) */
export type Pointed =
  | { readonly ok: true; readonly value: unknown }
  /** How far it led, and the names that were there. */
  | { readonly ok: false; readonly reached: string; readonly names: readonly string[] }

/** Follows a pointer such as `/database/password`; own members only. */
export function followPointer(document: unknown, pointer: string): Pointed {
  let at = document
  let reached = ''
  for (const token of pointer.slice(1).split('/')) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) {
      const names = typeof at === 'object' && at !== null ? Object.keys(at) : []
      return { ok: false, reached, names }
    }
    at = (at as Record<string, unknown>)[name]
    reached = `${reached}/${token}`
  }
  return { ok: true, value: at }
}
