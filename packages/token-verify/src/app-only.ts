import { type Claims, claimAt, fillClaims } from './claim-places.ts'

/**
 * How the token of an app that acts for itself is told from that of a user. All must hold; what is
 * not surely the token of an app is taken for a user's.
 */
export interface AppOnlyRule {
  /** Claims that only tokens of users have. */
  readonly without?: readonly string[]
  /** Claims that only tokens of apps have. */
  readonly with?: readonly string[]
  /** Claims with the only value they may have, `{name}` standing for another claim. */
  readonly equal?: Readonly<Record<string, string>>
  /** The same for claims that may be missing. */
  readonly equalIfThere?: Readonly<Record<string, string>>
}

/** Whether a token is surely one without a user. */
export function isAppOnly(claims: Claims, rule: AppOnlyRule): boolean {
  const has = (place: string) => {
    const value = claimAt(claims, place)
    return value !== undefined && value !== null
  }
  const holds = ([place, expected]: readonly [string, string]) => {
    const text = fillClaims(expected, claims)
    return text !== undefined && claimAt(claims, place) === text
  }
  return (
    !(rule.without ?? []).some(has) &&
    (rule.with ?? []).every(has) &&
    Object.entries(rule.equal ?? {}).every(holds) &&
    Object.entries(rule.equalIfThere ?? {}).every((pair) => !has(pair[0]) || holds(pair))
  )
}
