export type Claims = Readonly<Record<string, unknown>>

/**
 * A claim by its name, or by a JSON pointer (`/realm_access/roles`). A claim whose very name is the
 * text goes first: some are URLs. Inherited members are never found.
 * @see RFC 6901
 */
export function readClaim(claims: Claims, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path]
  if (!path.startsWith('/')) return undefined
  let value: unknown = claims
  for (const part of path.slice(1).split('/')) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return value
}

/** A claim as one text; numbers and booleans as JSON writes them, everything else is none. */
export function readTextClaim(claims: Claims, path: string): string | undefined {
  const value = readClaim(claims, path)
  if (typeof value === 'string') return value === '' ? undefined : value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** A claim that is a list, or words with spaces between. */
export function readListClaim(claims: Claims, path: string): readonly string[] {
  const value = readClaim(claims, path)
  if (Array.isArray(value)) return value.filter((each) => typeof each === 'string' && each !== '')
  return typeof value === 'string' ? value.split(' ').filter((word) => word !== '') : []
}
