/** What a resource says about the token it wants. @see RFC 6750 §3 */
export interface Challenge {
  readonly error?: string
  readonly description?: string
  readonly scopes?: readonly string[]
  /** Continuous access evaluation: a token with other claims is wanted. */
  readonly hasClaims: boolean
}

const PARAMETER = /([A-Za-z0-9_-]+) *= *(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g
const MAX_LENGTH = 8192

/** Reads `WWW-Authenticate`, of whatever scheme; the first of equal parameters counts. */
export function readChallenge(header: string | readonly string[] | undefined): Challenge {
  const found = new Map<string, string>()
  for (const text of [header ?? []].flat()) {
    for (const [, name = '', inQuotes, plain] of text.slice(0, MAX_LENGTH).matchAll(PARAMETER)) {
      const value = inQuotes === undefined ? plain : inQuotes.replaceAll(/\\(.)/g, '$1')
      if (value !== undefined && !found.has(name.toLowerCase())) {
        found.set(name.toLowerCase(), value)
      }
    }
  }
  const error = found.get('error')
  const description = found.get('error_description')
  const scopes = found
    .get('scope')
    ?.split(' ')
    .filter((each) => each !== '')
  return {
    ...(error !== undefined && { error }),
    ...(description !== undefined && { description }),
    ...(scopes !== undefined && { scopes }),
    hasClaims: found.has('claims'),
  }
}
