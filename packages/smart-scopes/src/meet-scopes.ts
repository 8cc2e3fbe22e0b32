import { covers } from './covers.ts'
import { coversParam } from './covers-param.ts'
import { constraintKey, formatScope } from './format-scope.ts'
import { checkScopeEvaluable } from './parse-scope.ts'
import type { ResourceScope, Scope, ScopeParam } from './scope.ts'

export interface MetScopes {
  /** What is granted, in the order of the request; never more than requested, nor than allowed. */
  readonly granted: readonly Scope[]
  /** Requested scopes of which nothing is granted. */
  readonly refused: readonly Scope[]
  /** Requested scopes of which only a part is granted. */
  readonly narrowed: readonly { readonly requested: Scope; readonly granted: readonly Scope[] }[]
}

/** What `requested` and `allowed` both permit, as lists of which any scope suffices. */
export function meet(requested: readonly Scope[], allowed: readonly Scope[]): MetScopes {
  const granted: Scope[] = []
  const refused: Scope[] = []
  const narrowed: { requested: Scope; granted: readonly Scope[] }[] = []
  for (const scope of requested) {
    const parts = withoutCovered(
      joinLetters(allowed.flatMap((other) => meetScopes(scope, other) ?? [])),
    )
    const whole = parts.length === 1 && covers(parts[0]!, scope)
    if (parts.length === 0) refused.push(scope)
    else if (!whole) narrowed.push({ requested: scope, granted: parts })
    granted.push(...(whole ? [scope] : parts))
  }
  return { granted: withoutCovered(granted), refused, narrowed }
}

/**
 * What both scopes permit; `undefined` when that is nothing, or cannot be said exactly. The v1
 * spelling of `requested` stays if nothing was taken from it.
 */
export function meetScopes(requested: Scope, allowed: Scope): Scope | undefined {
  if (requested.kind === 'plain' || allowed.kind === 'plain')
    return formatScope(requested) === formatScope(allowed) ? requested : undefined
  if (requested.context !== allowed.context) return undefined
  const type = meetTypes(requested.type, allowed.type)
  const letters = requested.letters.filter((letter) => allowed.letters.includes(letter))
  if (type === undefined || letters.length === 0) return undefined
  const params = meetParams(requested.params, allowed.params, type)
  if (params === undefined) return undefined

  const met: ResourceScope = { kind: 'resource', context: requested.context, type, letters, params }
  if (covers(met, requested)) return requested
  return checkScopeEvaluable(met) === undefined ? met : undefined
}

function meetTypes(a: string, b: string): string | undefined {
  if (a === '*') return b
  return b === '*' || a === b ? a : undefined
}

/** All parameters of both; of two on one name only the narrower, where one is narrower. */
function meetParams(
  a: readonly ScopeParam[],
  b: readonly ScopeParam[],
  type: string,
): readonly ScopeParam[] | undefined {
  const all = [...a, ...b]
  if (all.some((one) => all.some((other) => excludes(one, other)))) return undefined
  const isNarrower = (one: ScopeParam, other: ScopeParam) => coversParam(other, one, type)
  return all.filter(
    (param, index) =>
      !all.some(
        (other, otherIndex) =>
          index !== otherIndex &&
          isNarrower(other, param) &&
          // Of two that say the same the first stays.
          (!isNarrower(param, other) || otherIndex < index),
      ),
  )
}

// Elements that occur once in every R4 type that has the parameter. On others, two values are no
// contradiction: an Observation may have two categories.
const SINGLE = new Set(['_id'])

function excludes(one: ScopeParam, other: ScopeParam): boolean {
  return (
    SINGLE.has(one.name) &&
    one.name === other.name &&
    !one.values.some((value) => other.values.includes(value))
  )
}

/** `Observation.r` and `Observation.s` with one constraint are `Observation.rs`. */
function joinLetters(scopes: readonly Scope[]): readonly Scope[] {
  const joined = new Map<string, Scope>()
  for (const scope of scopes) {
    if (scope.kind === 'plain') {
      joined.set(scope.value, scope)
      continue
    }
    const key = `${scope.context}/${scope.type}?${constraintKey(scope.params)}`
    const before = joined.get(key)
    joined.set(key, before?.kind === 'resource' ? addLetters(before, scope) : scope)
  }
  return [...joined.values()]
}

function addLetters(a: ResourceScope, b: ResourceScope): ResourceScope {
  if (covers(a, b)) return a
  if (covers(b, a)) return b
  const { v1: _, ...rest } = a
  const both = new Set([...a.letters, ...b.letters])
  return { ...rest, letters: (['c', 'r', 'u', 'd', 's'] as const).filter((each) => both.has(each)) }
}

/** Without scopes that permit nothing beyond another one; the first of equals stays. */
export function withoutCovered(scopes: readonly Scope[]): readonly Scope[] {
  return scopes.filter(
    (scope, index) =>
      !scopes.some(
        (other, otherIndex) =>
          index !== otherIndex &&
          covers(other, scope) &&
          (!covers(scope, other) || otherIndex < index),
      ),
  )
}
