import type { TokenFacts } from '@scopegate/checks'
import type { ConnectionToken } from '@scopegate/oauth-model'

/**
 * What a token says that explains why a resource refuses it. Its signature is not looked at: nothing
 * is decided by it, and nothing that names a person is taken.
 */
export function tokenFactsOf(token: ConnectionToken, nowSeconds: number): TokenFacts {
  const claims = claimsOf(token.accessToken)
  const words = (name: string): readonly string[] => {
    const value = claims?.[name]
    if (typeof value === 'string') return value.split(' ').filter((word) => word !== '')
    return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : []
  }
  const { aud, iss, exp, idtyp, sub, azp, client_id: clientId } = claims ?? {}
  const claimed = [...words('scope'), ...words('scp')]
  return {
    audiences: [aud ?? []].flat().filter((each) => typeof each === 'string'),
    ...(typeof iss === 'string' && { issuer: iss }),
    scopes: claimed.length > 0 ? claimed : token.scopes,
    roles: words('roles'),
    ...(typeof exp === 'number' && { secondsLeft: exp - nowSeconds }),
    isOpaque: claims === undefined,
    isAppOnly: idtyp === 'app' || (sub !== undefined && (sub === azp || sub === clientId)),
  }
}

function claimsOf(token: string): Readonly<Record<string, unknown>> | undefined {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1]!, 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims)
      ? (claims as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
