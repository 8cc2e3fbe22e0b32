import type { PasswordUser, VerifiedToken } from '@scopegate/oauth-model'
import type { Api } from './api.ts'
import { type Claims, readListClaim, readTextClaim } from './read-claim.ts'
import type { WebSession } from './web-login.ts'

/** Who calls an API, in the terms of its declaration. Made once for a token, not for a request. */
export interface ApiCaller {
  readonly username: string
  readonly subject: string
  readonly issuer: string
  readonly clientId?: string
  readonly scopes: ReadonlySet<string>
  readonly roles: ReadonlySet<string>
  readonly claims: Claims
  /** Epoch seconds; missing where nothing ends. */
  readonly expiresAt?: number
  readonly fingerprint?: string
  /** What identity headers say, name and value by turns; filled on first use. */
  identityHeaders?: readonly string[]
  /** The signed identity, kept for as long as it is good. */
  identityJwt?: { readonly text: string; readonly goodUntil: number }
}

export function callerOfToken(token: VerifiedToken, { auth }: Api): ApiCaller {
  const claims = token.claims ?? { sub: token.subject, scope: token.scope }
  const scopes = token.scope.split(' ').filter((scope) => scope !== '')
  return {
    username: readTextClaim(claims, auth.username) ?? token.subject,
    subject: token.subject,
    issuer: token.issuer,
    clientId: token.clientId,
    scopes: new Set(scopes),
    roles: prefixed(rolesOf(claims, scopes, auth.roles.from), auth.roles.prefix),
    claims,
    expiresAt: token.expiresAt,
    fingerprint: token.fingerprint,
  }
}

export function callerOfSession(session: WebSession, { auth }: Api): ApiCaller {
  const { claims } = session
  const subject = readTextClaim(claims, 'sub') ?? ''
  const scopes = session.scope.split(' ').filter((scope) => scope !== '')
  return {
    username: readTextClaim(claims, auth.username) ?? subject,
    subject,
    issuer: session.issuer,
    clientId: session.clientId,
    scopes: new Set(scopes),
    roles: prefixed(rolesOf(claims, scopes, auth.roles.from), auth.roles.prefix),
    claims,
    expiresAt: session.expiresAt,
  }
}

/** @param issuer this server, whose user it is */
export function callerOfUser(user: PasswordUser, issuer: string, { auth }: Api): ApiCaller {
  return {
    username: user.username,
    subject: user.id,
    issuer,
    scopes: new Set(auth.basicScopes),
    roles: prefixed(user.roles, auth.roles.prefix),
    claims: { sub: user.id, preferred_username: user.username },
  }
}

/** `scope` means the scopes, however the issuer spells that claim. */
function rolesOf(claims: Claims, scopes: readonly string[], from: string): readonly string[] {
  return from === 'scope' ? scopes : readListClaim(claims, from)
}

function prefixed(roles: readonly string[], prefix: string): ReadonlySet<string> {
  return new Set(prefix === '' ? roles : roles.map((role) => `${prefix}${role}`))
}
