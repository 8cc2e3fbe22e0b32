/** What a resource says with a refusal of the token it wants. @see RFC 6750 §3, RFC 9449 §7.1 */
export interface BearerChallenge {
  readonly error?: string
  readonly description?: string
  readonly scopes: readonly string[]
  /** Continuous access evaluation: a token with other claims is wanted. */
  readonly hasClaims: boolean
  /** @see RFC 9728 §5.1 */
  readonly metadataUrl?: string
  /** For operators: one line, bounded. */
  readonly shown: string
}

const PARAMETER = /([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.){0,2000})"|([^\s,"]{1,500}))/g
const MAX_LENGTH = 4000

/**
 * The challenge of the scheme Bearer or DPoP in `WWW-Authenticate`; `undefined` where there is none.
 * The first of equal parameters counts.
 */
export function readBearerChallenge(
  header: string | readonly string[] | null | undefined,
): BearerChallenge | undefined {
  const text = [header ?? []].flat().join(', ').slice(0, MAX_LENGTH)
  const scheme = /(?:^|,\s*)(?:bearer|dpop)\b/i.exec(text)
  if (scheme === null) return undefined
  const parameters = new Map<string, string>()
  for (const [, name = '', quoted, bare = ''] of text.slice(scheme.index).matchAll(PARAMETER)) {
    const value = quoted === undefined ? bare : quoted.replaceAll(/\\(.)/g, '$1')
    if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), value)
  }
  const error = parameters.get('error')
  const description = parameters.get('error_description')
  const metadataUrl = parameters.get('resource_metadata')
  return {
    ...(error !== undefined && { error }),
    ...(description !== undefined && { description }),
    scopes: parameters.get('scope')?.split(' ').filter(Boolean) ?? [],
    hasClaims: parameters.has('claims'),
    ...(metadataUrl !== undefined && { metadataUrl }),
    shown: text.slice(scheme.index).replace(/^,\s*/, '').slice(0, 400),
  }
}
