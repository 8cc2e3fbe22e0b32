import type { VerifiedToken } from '@scopegate/oauth-model'
import { isAppOnly } from './app-only.ts'
import { COMMON_PLACES, firstClaim } from './claim-places.ts'
import type { Issuer } from './issuer.ts'
import { mapScopes } from './map-scopes.ts'
import type { ReadToken } from './read-token.ts'
import { shown } from './shown.ts'

/** What a token works only together with: one of both at least. */
export interface Binding {
  /** Of a key. @see RFC 9449 §6.1 */
  readonly jkt?: string
  /** Of a certificate. @see RFC 8705 §3.1 */
  readonly x5t?: string
}

/** What is kept of the claims of a token whose issuer stands for them. */
export interface ReadClaims {
  readonly token: VerifiedToken
  readonly notBefore: number | undefined
  /** What it is bound to; `unsupported` when that is bound in a way that is not checked here. */
  readonly boundTo: Binding | 'unsupported' | undefined
}

/** Reads claims that are known to be of the right kinds (`checkType`, or our own). */
export function readClaims(
  claims: ReadToken['claims'],
  issuer: Issuer,
  fingerprint: string,
): ReadClaims {
  return {
    token: verifiedToken(claims, issuer, fingerprint),
    notBefore: numberOf(claims.nbf),
    boundTo: boundTo(claims.cnf),
  }
}

/** @see RFC 7800 §3.1. What is bound to something else besides cannot be checked whole. */
function boundTo(cnf: unknown): ReadClaims['boundTo'] {
  if (cnf === undefined) return undefined
  if (typeof cnf !== 'object' || cnf === null) return 'unsupported'
  const { jkt, 'x5t#S256': x5t, ...others } = cnf as Record<string, unknown>
  const isText = (value: unknown) => typeof value === 'string' && value !== ''
  const named = [jkt, x5t].filter((value) => value !== undefined)
  if (named.length === 0 || !named.every(isText) || Object.keys(others).length > 0) {
    return 'unsupported'
  }
  return {
    ...(jkt === undefined ? {} : { jkt: jkt as string }),
    ...(x5t === undefined ? {} : { x5t: x5t as string }),
  }
}

/** One spelling for what issuers spell differently. */
function verifiedToken(
  claims: ReadToken['claims'],
  issuer: Issuer,
  fingerprint: string,
): VerifiedToken {
  const places = issuer.claims ?? COMMON_PLACES
  const first = (name: 'client' | 'subject' | 'audience' | 'patient' | 'encounter' | 'fhirUser') =>
    firstClaim(claims, places[name])?.value
  const subject = textOf(first('subject')) ?? ''
  const fhirUser = first('fhirUser')
  const withoutUser = issuer.appOnly !== undefined && isAppOnly(claims, issuer.appOnly)
  const { scope, origin } = mapScopes(claims, places, issuer.scopeNames, withoutUser)
  const optional = {
    jti: textOf(claims.jti),
    grantId: textOf(claims.grant_id),
    patient: textOf(first('patient')),
    encounter: textOf(first('encounter')),
    fhirUser: textOf(fhirUser),
    hasUser:
      isUnreadable(fhirUser) ?? (issuer.appOnly !== undefined && !withoutUser ? true : undefined),
    scopeOrigin: origin,
  }
  return Object.freeze({
    issuer: issuer.issuer,
    subject,
    clientId: textOf(first('client')) ?? subject,
    audience: Object.freeze(listOf(first('audience'))),
    scope,
    issuedAt: numberOf(claims.iat) ?? 0,
    expiresAt: numberOf(claims.exp) ?? 0,
    fingerprint,
    claims,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  })
}

function clientIdOf(claims: ReadToken['claims']): string | undefined {
  return (
    textOf(claims.client_id) ?? textOf(claims.azp) ?? textOf(claims.cid) ?? textOf(claims.appid)
  )
}

/** Who a token says it is from and for; nothing of it is verified. */
export function claimedBy(read: ReadToken | undefined): { issuer?: string; clientId?: string } {
  if (read === undefined) return {}
  const issuer = textOf(read.claims.iss)
  const clientId = clientIdOf(read.claims)
  return {
    ...(issuer === undefined ? {} : { issuer: shown(issuer) }),
    ...(clientId === undefined ? {} : { clientId: shown(clientId) }),
  }
}

/** As an empty text is. Taken for no claim, it would make a system of a user. */
function isUnreadable(claim: unknown): true | undefined {
  return claim !== undefined && claim !== null && textOf(claim) === undefined ? true : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}
function listOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.filter((item) => typeof item === 'string')
  return typeof value === 'string' && value !== '' ? [value] : []
}
