import { createHash } from 'node:crypto'
import { type Check, failed, passed } from '@scopegate/checks'
import type { ExpectedAudience, VerifiedToken } from '@scopegate/oauth-model'

/**
 * A token as if these were the claims of a verified one, to explain what it would be permitted.
 * What a signature would show is not judged; an audience that is given is.
 */
export function tokenFromClaims(
  claims: Readonly<Record<string, unknown>>,
  expected: ExpectedAudience,
): { readonly token?: VerifiedToken; readonly checks: readonly Check[] } {
  const text = (name: string): string | undefined => {
    const value = claims[name]
    return typeof value === 'string' ? value : undefined
  }
  const audience = listOf(claims.aud) ?? expected.audiences
  if (!audience.some((each) => expected.audiences.includes(each))) {
    const detail = { expected: expected.audiences.join(' or '), got: audience.join(', ') }
    return { checks: [failed('audience_mismatch', detail)] }
  }
  const scope = listOf(claims.scope ?? claims.scp)?.join(' ') ?? ''
  const optional = Object.fromEntries(
    (['jti', 'patient', 'encounter', 'fhirUser'] as const).flatMap((name) => {
      const value = text(name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
  const token: VerifiedToken = {
    issuer: text('iss') ?? expected.issuers[0] ?? '',
    subject: text('sub') ?? '',
    clientId: text('client_id') ?? text('azp') ?? '',
    audience,
    scope,
    issuedAt: numberOf(claims.iat) ?? 0,
    expiresAt: numberOf(claims.exp) ?? 0,
    ...optional,
    // As the verifier does: a claim that cannot be read still says that there is a user.
    ...(claims.fhirUser != null && optional.fhirUser === undefined ? { hasUser: true } : {}),
    fingerprint: createHash('sha256')
      .update(JSON.stringify(claims))
      .digest('base64url')
      .slice(0, 22),
  }
  return { token, checks: [passed('audience')] }
}

function listOf(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return [value]
  if (!Array.isArray(value)) return undefined
  return value.filter((each): each is string => typeof each === 'string')
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
