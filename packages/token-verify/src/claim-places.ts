/** A claim by its name, or by a JSON pointer such as `/realm_access/roles`. @see RFC 6901 */
export type ClaimPlace = string

/**
 * Where the claims of an issuer are. Of several places the first that holds something counts; of
 * `roles` all do.
 */
export interface ClaimPlaces {
  /** A space-separated text or a list. */
  readonly scopes: readonly ClaimPlace[]
  /** Lists, or space-separated texts. Looked at only in tokens without a user. */
  readonly roles: readonly ClaimPlace[]
  readonly client: readonly ClaimPlace[]
  readonly subject: readonly ClaimPlace[]
  readonly audience: readonly ClaimPlace[]
  readonly patient: readonly ClaimPlace[]
  readonly encounter: readonly ClaimPlace[]
  /** Also templates, such as `Practitioner/{employee_id}`. */
  readonly fhirUser: readonly ClaimPlace[]
}

export type Claims = Readonly<Record<string, unknown>>

/** The names of RFC 9068 and SMART, and what well-known issuers have in their place. */
export const COMMON_PLACES: ClaimPlaces = {
  scopes: ['scope', 'scp'],
  roles: [],
  client: ['client_id', 'azp', 'cid', 'appid'],
  subject: ['sub'],
  audience: ['aud'],
  patient: ['patient'],
  encounter: ['encounter'],
  fhirUser: ['fhirUser'],
}

/** What stands at a place; `undefined` if nothing does. Never what an object inherits. */
export function claimAt(claims: Claims, place: ClaimPlace): unknown {
  if (!place.startsWith('/')) return own(claims, place)
  return place
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(own, claims)
}

/** The first place that holds something, and what. */
export function firstClaim(
  claims: Claims,
  places: readonly ClaimPlace[],
): { readonly place: ClaimPlace; readonly value: unknown } | undefined {
  for (const place of places) {
    const value = place.includes('{') ? fillClaims(place, claims) : claimAt(claims, place)
    if (value !== undefined && value !== null) return { place, value }
  }
  return undefined
}

/** A template with its claims filled in; `undefined` when one of them is no plain text. */
export function fillClaims(template: string, claims: Claims): string | undefined {
  let isWhole = true
  const text = template.replaceAll(/\{([^}]+)\}/g, (_, place: string) => {
    const value = claimAt(claims, place)
    if (typeof value === 'string' && value !== '') return value
    if (typeof value === 'number') return String(value)
    isWhole = false
    return ''
  })
  return isWhole ? text : undefined
}

function own(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined
}
