import type { TokenFacts } from '@scopegate/checks'

/** What a token says of itself. Nobody checked its signature: that is the resource's business. */
export interface TokenClaims {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** `undefined` for an opaque token. */
export function readTokenClaims(token: string): TokenClaims | undefined {
  const [header = '', claims = '', ...rest] = token.split('.')
  if (rest.length !== 1) return undefined
  try {
    const parts = [header, claims].map((part) =>
      JSON.parse(Buffer.from(part, 'base64url').toString()),
    )
    if (!parts.every((part) => part !== null && typeof part === 'object')) return undefined
    return { header: parts[0], claims: parts[1] }
  } catch {
    return undefined
  }
}

/** @param granted what the token answer said. */
export function tokenFactsOf(
  token: string,
  granted: readonly string[],
  isAppOnly: boolean,
  nowMs: number,
): TokenFacts {
  const read = readTokenClaims(token)
  if (read === undefined) {
    return { audiences: [], scopes: granted, roles: [], isOpaque: true, isAppOnly }
  }
  const { claims } = read
  const written = words(claims.scp ?? claims.scope)
  return {
    audiences: words(claims.aud, false),
    ...(typeof claims.iss === 'string' && { issuer: claims.iss }),
    scopes: written.length > 0 ? written : granted,
    roles: rolesOf(claims),
    ...(typeof claims.exp === 'number' && {
      secondsLeft: Math.floor(claims.exp - nowMs / 1000),
    }),
    isOpaque: false,
    isAppOnly,
  }
}

/** Roles as Entra and Keycloak write them. */
function rolesOf(claims: Readonly<Record<string, unknown>>): readonly string[] {
  const own = words(claims.roles, false)
  const realm = claims.realm_access as { readonly roles?: unknown } | undefined
  const clients = (claims.resource_access ?? {}) as Readonly<
    Record<string, { readonly roles?: unknown } | null>
  >
  return [
    ...own,
    ...words(realm?.roles, false),
    ...Object.entries(clients).flatMap(([client, access]) =>
      words(access?.roles, false).map((role) => `${client}/${role}`),
    ),
  ]
}

function words(value: unknown, isSplit = true): readonly string[] {
  if (typeof value === 'string') return isSplit ? value.split(' ').filter(Boolean) : [value]
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}
