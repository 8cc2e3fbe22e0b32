import type { TokenFacts } from './provider-signal.ts'

/** What a token says of itself. Nobody checked its signature: that is the resource's business. */
export interface TokenClaims {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** `undefined` for an opaque token. */
export function readTokenClaims(token: string): TokenClaims | undefined {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  try {
    const [header, claims] = parts
      .slice(0, 2)
      .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString('utf8')))
    return isObject(header) && isObject(claims) ? { header, claims } : undefined
  } catch {
    return undefined
  }
}

/**
 * What a token says that explains why a resource refuses it. Its signature is not looked at: nothing
 * is decided by it, and nothing that names a person is taken.
 */
export function tokenFactsOf(
  token: string,
  known: {
    /** What the token answer said; serves where the token does not say. */
    readonly granted: readonly string[]
    readonly nowSeconds: number
    /** Whether nobody is behind it; without it, as the claims tell. */
    readonly isAppOnly?: boolean
  },
): TokenFacts {
  const read = readTokenClaims(token)
  const { aud, iss, exp, scope, scp } = read?.claims ?? {}
  const written = [...words(scope), ...words(scp)]
  return {
    audiences: texts(aud),
    ...(typeof iss === 'string' && { issuer: iss }),
    scopes: written.length > 0 ? written : known.granted,
    roles: rolesOf(read?.claims ?? {}),
    ...(typeof exp === 'number' && { secondsLeft: Math.floor(exp - known.nowSeconds) }),
    isOpaque: read === undefined,
    isAppOnly: known.isAppOnly ?? isOfApp(read?.claims ?? {}),
  }
}

/** As Entra says it, or because the client is the subject. */
function isOfApp({ idtyp, sub, azp, client_id: clientId }: TokenClaims['claims']): boolean {
  return idtyp === 'app' || (sub !== undefined && (sub === azp || sub === clientId))
}

/** Roles as Entra and Keycloak write them. */
function rolesOf({ roles, realm_access: realm, resource_access: clients }: TokenClaims['claims']) {
  return [
    ...texts(roles),
    ...texts(isObject(realm) ? realm.roles : undefined),
    ...Object.entries(isObject(clients) ? clients : {}).flatMap(([client, access]) =>
      texts(isObject(access) ? access.roles : undefined).map((role) => `${client}/${role}`),
    ),
  ]
}

function texts(value: unknown): readonly string[] {
  return [value].flat().filter((each) => typeof each === 'string')
}

function words(value: unknown): readonly string[] {
  return typeof value === 'string' ? value.split(' ').filter(Boolean) : texts(value)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
