/** The body of an answer, whatever it says that it is. */
export type ParsedBody =
  | {
      readonly kind: 'object'
      readonly value: Readonly<Record<string, unknown>>
      readonly form: boolean
    }
  | { readonly kind: 'other' }

/** Reads JSON of any content type, with or without a byte order mark; and forms, if they say so. */
export function parseBody(text: string, contentType: string | null): ParsedBody {
  const bare = text.replace(/^\uFEFF/, '').trim()
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType ?? '')) {
    const value = Object.fromEntries(new URLSearchParams(bare))
    if ('access_token' in value || 'error' in value) return { kind: 'object', value, form: true }
  }
  if (!bare.startsWith('{')) return { kind: 'other' }
  try {
    return { kind: 'object', value: JSON.parse(bare), form: false }
  } catch {
    return { kind: 'other' }
  }
}
