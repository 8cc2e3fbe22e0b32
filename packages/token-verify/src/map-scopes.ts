import { type ClaimPlaces, type Claims, claimAt, firstClaim } from './claim-places.ts'
import { shown } from './shown.ts'

/** What the names of an issuer mean here, for issuers that cannot express SMART scopes. */
export interface ScopeNames {
  /** A scope or role of the issuer to one or more scopes, space-separated. */
  readonly map: Readonly<Record<string, string>>
  /** Taken off the front of names first, such as `api://fhir/`. */
  readonly strip: readonly string[]
  /** Names that are SMART scopes and not in `map`: as they are, or nothing. */
  readonly unmapped: 'pass' | 'drop'
}

/** What an issuer's own names came to. */
export interface MappedScopes {
  /** Space-separated. */
  readonly scope: string
  /** What the token says, if some of it is not in the map: `roles=[A, B]; mapped scopes: none`. */
  readonly origin?: string
}

const AS_THEY_ARE: ScopeNames = { map: {}, strip: [], unmapped: 'pass' }
const LOOKS_CLINICAL = /^(?:patient|user|system)\//i
const MAX_SHOWN = 20

/**
 * The scopes of a token. Names without a slash pass: they grant nothing on clinical data, and mean
 * something only where a declaration asks for them. Roles count in tokens without a user only,
 * where nobody's rights could be exceeded by them, and only those in the map.
 */
export function mapScopes(
  claims: Claims,
  places: Pick<ClaimPlaces, 'scopes' | 'roles'>,
  names: ScopeNames = AS_THEY_ARE,
  withoutUser = false,
): MappedScopes {
  const found = firstClaim(claims, places.scopes)
  const scopes = namesIn(found?.value)
  if (names === AS_THEY_ARE && places.roles.length === 0) return { scope: scopes.join(' ') }

  const mapped = new Set<string>()
  let isWhole = true
  const take = (name: string, pass: boolean) => {
    const plain = withoutPrefix(name, names.strip)
    // The map may spell a name with its prefix or without.
    const target = [name, plain].find((each) => Object.hasOwn(names.map, each))
    if (target !== undefined) {
      for (const scope of namesIn(names.map[target])) mapped.add(scope)
      return
    }
    isWhole = false
    if (pass && (names.unmapped === 'pass' || !LOOKS_CLINICAL.test(plain))) mapped.add(plain)
  }
  for (const name of scopes) take(name, true)
  const roles = places.roles.map((place) => ({ place, names: namesIn(claimAt(claims, place)) }))
  for (const name of roles.flatMap((each) => each.names)) {
    if (withoutUser) take(name, false)
    else isWhole = false
  }

  const scope = [...mapped].join(' ')
  if (isWhole && mapped.size > 0) return { scope }
  const seen = [
    ...(found === undefined ? [] : [{ place: found.place, names: scopes }]),
    ...roles.filter((each) => each.names.length > 0),
  ].map((each) => `${shown(each.place)}=[${listed(each.names)}]`)
  const ofUser = !withoutUser && roles.some((each) => each.names.length > 0)
  return {
    scope,
    origin: [
      `claims seen: ${seen.length === 0 ? 'none' : seen.join(' ')}`,
      `mapped scopes: ${mapped.size === 0 ? 'none' : listed([...mapped])}`,
      ...(ofUser ? ['roles of a user make no scopes'] : []),
    ].join('; '),
  }
}

function withoutPrefix(name: string, prefixes: readonly string[]): string {
  const prefix = prefixes.find((each) => name.startsWith(each) && name.length > each.length)
  return prefix === undefined ? name : name.slice(prefix.length)
}

function namesIn(value: unknown): string[] {
  const texts = Array.isArray(value) ? value : [value]
  return texts.flatMap((text) =>
    typeof text === 'string' ? text.split(' ').filter((name) => name !== '') : [],
  )
}

function listed(names: readonly string[]): string {
  const some = names.slice(0, MAX_SHOWN).map(shown).join(', ')
  return names.length > MAX_SHOWN ? `${some}, and ${names.length - MAX_SHOWN} more` : some
}
