/** At most five: a token may hold dozens. */
export function listScopes(scopes: readonly string[]): string {
  if (scopes.length === 0) return 'none'
  return scopes.length <= 5
    ? scopes.join(' ')
    : `${scopes.slice(0, 5).join(' ')} and ${scopes.length - 5} more`
}
