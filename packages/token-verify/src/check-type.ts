import { type Check, failed, passed } from '@scopegate/checks'
import type { Issuer } from './issuer.ts'
import type { ReadToken } from './read-token.ts'
import { shown } from './shown.ts'

const ACCESS_TOKEN_TYPES = new Set(['at+jwt', 'application/at+jwt'])
const UNTYPED = new Set(['jwt', 'application/jwt'])
/** Hashes of other tokens stand in ID tokens only. @see OpenID Connect Core 1.0 §3.3.2.11 */
const ID_TOKEN_CLAIMS = ['at_hash', 'c_hash', 's_hash']

/**
 * Whether this is an access token: by its header where the issuer sets it, else by what is in it.
 * An ID token is refused whatever the issuer.
 *
 * @see RFC 9068 §4; RFC 8725 §3.11
 */
export function checkType({ header, claims }: ReadToken, issuer: Issuer): Check {
  // RFC 7515 §4.1.9: it is a text; what is written as a list of one is another thing.
  const typ =
    typeof header.typ === 'string'
      ? header.typ.toLowerCase()
      : header.typ === undefined
        ? undefined
        : 'not a text'
  const isTyped = typ !== undefined && ACCESS_TOKEN_TYPES.has(typ)
  if (typeof issuer.typ !== 'string') {
    const accepted = issuer.typ.map((one) => one.toLowerCase())
    if (!accepted.includes(typ ?? 'none')) {
      const got = typ === undefined ? 'no `typ`' : shown(typ)
      return failed('type_wrong', { expected: issuer.typ.join(' or '), got })
    }
  }

  if (ID_TOKEN_CLAIMS.some((claim) => claim in claims)) return failed('type_id_token')
  if (!isTyped) {
    if (looksLikeIdToken(claims, issuer)) return failed('type_id_token')
    const got = typ === undefined ? 'no `typ`' : shown(typ)
    if (issuer.typ === 'at+jwt') return failed('type_wrong', { expected: 'at+jwt', got })
    if (issuer.typ === 'any' && typ !== undefined && !UNTYPED.has(typ)) {
      return failed('type_wrong', { expected: 'at+jwt or JWT', got })
    }
    // Keycloak names the kind in the claims: Bearer, ID, Refresh, Logout.
    const kind = issuer.claimValues?.typ === undefined ? claims.typ : undefined
    if (kind !== undefined && String(kind).toLowerCase() !== 'bearer') {
      return failed('type_wrong', { expected: 'Bearer', got: shown(String(kind)) })
    }
    if ('events' in claims)
      return failed('type_wrong', { expected: 'at+jwt or JWT', got: 'an event' })
  }
  // An answer of an issuer may name a time that it does not have; a signed token may not.
  const timeless = ['iat', 'nbf'].find((name) => claims[name] === null)
  if (timeless !== undefined) {
    return failed('claim_invalid', { expected: `\`${timeless}\` must be a number of seconds` })
  }
  return checkClaims(claims, issuer)
}

/** An ID token carries no scopes; its audience is the client. */
function looksLikeIdToken(claims: ReadToken['claims'], { requiredClaims }: Issuer): boolean {
  if (String(claims.typ).toLowerCase() === 'id') return true
  const hasScopes = 'scope' in claims || 'scp' in claims || 'roles' in claims
  // Where access tokens have to name their client there, it tells nothing.
  const azpTells = !requiredClaims.some((each) => each.split('|').includes('azp'))
  return !hasScopes && ('nonce' in claims || 'auth_time' in claims || (azpTells && 'azp' in claims))
}

/** Whether the claims that the issuer's tokens have are there, each of its kind. */
export function checkClaims(claims: ReadToken['claims'], issuer: Issuer): Check {
  const isThere = (name: string) => {
    const value = claims[name]
    return value !== undefined && value !== null && value !== ''
  }
  for (const name of ['exp', ...issuer.requiredClaims]) {
    // A missing audience has a check of its own.
    if (name === 'aud' || name.split('|').some(isThere)) continue
    return failed('claim_missing', { expected: name.replaceAll('|', ' or ') })
  }
  for (const [name, values] of Object.entries(issuer.claimValues ?? {})) {
    const value = claims[name]
    if (typeof value === 'string' && values.includes(value)) continue
    return failed('type_wrong', {
      expected: `${name}: ${values.join(' or ')}`,
      got: value === undefined ? `no ${name}` : `${name}: ${shown(value)}`,
    })
  }
  for (const [name, isRight, kind] of CLAIM_KINDS) {
    if (claims[name] !== undefined && claims[name] !== null && !isRight(claims[name])) {
      return failed('claim_invalid', { expected: `\`${name}\` must be ${kind}` })
    }
  }
  return passed('type')
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
const isTime = (value: unknown): boolean =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0

const CLAIM_KINDS: readonly (readonly [string, (value: unknown) => boolean, string])[] = [
  ['exp', isTime, 'a number of seconds'],
  ['iat', isTime, 'a number of seconds'],
  ['nbf', isTime, 'a number of seconds'],
  ['sub', isText, 'a text'],
  ['client_id', isText, 'a text'],
  ['azp', isText, 'a text'],
  ['cid', isText, 'a text'],
  ['appid', isText, 'a text'],
  ['jti', isText, 'a text'],
  ['aud', (value) => isText(value) || isTexts(value), 'a text or a list of texts'],
  ['scope', (value) => isText(value) || isTexts(value), 'a text'],
  ['scp', (value) => isText(value) || isTexts(value), 'a text or a list of texts'],
  ['patient', isText, 'a text'],
  ['encounter', isText, 'a text'],
  ['fhirUser', isText, 'a text'],
]
