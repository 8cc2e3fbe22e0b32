import { type Check, failed } from '@scopegate/checks'
import type { VerifiedToken } from '@scopegate/oauth-model'

/** What is told of a user. */
export interface KnownUser {
  readonly id: string
  readonly username: string
  readonly name: string
  readonly email?: string
  readonly fhirUser?: string
  readonly locale?: string
  readonly disabled: boolean
}

/** The check that keeps the token from telling who the user is, before the user is looked up. */
export function checkUserinfoToken(token: VerifiedToken): Check | undefined {
  // Of a program, `sub` is the client itself, whatever its scopes are.
  if (token.subject === token.clientId) return failed('user_missing')
  const scopes = token.scope.split(' ')
  return scopes.includes('openid') ? undefined : failed('scope_openid_missing')
}

/**
 * The claims of the scopes that were granted.
 *
 * @see OpenID Connect Core 1.0 §5.3.2, §5.4; SMART 2.2 for `fhirUser`
 */
export function userinfoAnswer(token: VerifiedToken, user: KnownUser): Record<string, unknown> {
  const scopes = new Set(token.scope.split(' '))
  const { name, username, locale, email } = user
  const fhirUser = token.fhirUser ?? absolute(user.fhirUser, token.audience[0])
  return {
    sub: token.subject,
    ...(scopes.has('profile')
      ? { name, preferred_username: username, ...(locale === undefined ? {} : { locale }) }
      : {}),
    ...(scopes.has('email') && email !== undefined ? { email, email_verified: false } : {}),
    ...(scopes.has('fhirUser') && fhirUser !== undefined ? { fhirUser } : {}),
  }
}

function absolute(reference: string | undefined, base: string | undefined): string | undefined {
  if (reference === undefined || base === undefined || URL.canParse(reference)) return reference
  return `${base}/${reference}`
}
