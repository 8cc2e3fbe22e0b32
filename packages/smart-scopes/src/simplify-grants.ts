import { ALL, allOf, anyOf, type Clause, NONE, type Predicate } from '@scopegate/fhir-model'

/** One grant on one type under one letter: `base` and every clause must hold. */
export interface Conjunction {
  readonly base: Predicate
  readonly clauses: readonly Clause[]
}

/**
 * The union of the conjunctions as one predicate, without parts that another one covers. Clauses
 * that differ only in their values become one with all values; what shares a base is put under it.
 */
export function unionOf(conjunctions: readonly Conjunction[]): Predicate {
  const [only] = conjunctions
  if (only === undefined) return NONE
  if (conjunctions.length === 1) return allOf(only.base, ...only.clauses)
  const byBase = Map.groupBy(
    absorb(conjunctions.filter(({ base }) => base.kind !== 'none')),
    ({ base }) => JSON.stringify(base),
  )
  const parts = [...byBase.values()].map((group) => {
    const alternatives = mergeValues(group.map(({ clauses }) => clauses))
    return allOf(
      group[0]!.base,
      anyOf(...alternatives.map((clauses) => (clauses.length === 0 ? ALL : allOf(...clauses)))),
    )
  })
  return parts.length === 0 ? NONE : anyOf(...parts)
}

function absorb(conjunctions: readonly Conjunction[]): readonly Conjunction[] {
  return conjunctions.filter(
    (one, index) =>
      !conjunctions.some(
        (other, otherIndex) =>
          index !== otherIndex &&
          isWithin(one, other) &&
          (!isWithin(other, one) || otherIndex < index),
      ),
  )
}

function isWithin(narrow: Conjunction, wide: Conjunction): boolean {
  const sameBase =
    wide.base.kind === 'all' || JSON.stringify(wide.base) === JSON.stringify(narrow.base)
  return (
    sameBase &&
    wide.clauses.every((clause) => narrow.clauses.some((each) => clauseIsWithin(each, clause)))
  )
}

function clauseIsWithin(narrow: Clause, wide: Clause): boolean {
  if (clauseShape(narrow) !== clauseShape(wide)) return false
  const values = new Set(wide.values.map((value) => JSON.stringify(value)))
  return narrow.values.every((value) => values.has(JSON.stringify(value)))
}

function clauseShape({ param, type, modifier }: Clause): string {
  return `${param}:${modifier ?? ''}:${type}`
}

/**
 * `(a ∧ x=1) ∨ (a ∧ x=2)` is `a ∧ x=1,2`, since values of a clause are alternatives. Not with a
 * modifier: `:not` joins its values the other way.
 */
function mergeValues(alternatives: readonly (readonly Clause[])[]): readonly (readonly Clause[])[] {
  const merged: (readonly Clause[])[] = []
  for (const clauses of alternatives) {
    const index = merged.findIndex((other) => differingClause(other, clauses) !== undefined)
    if (index === -1) merged.push(clauses)
    else merged[index] = joinValues(merged[index]!, clauses)
  }
  return merged
}

/** The position of the only clause in which both differ, if they differ in its values alone. */
function differingClause(a: readonly Clause[], b: readonly Clause[]): number | undefined {
  if (a.length !== b.length) return undefined
  const differing = a.flatMap((clause, index) =>
    JSON.stringify(clause) === JSON.stringify(b[index]) ? [] : [index],
  )
  const [index] = differing
  if (differing.length !== 1 || index === undefined) return undefined
  const [one, other] = [a[index]!, b[index]!]
  const mergeable = one.modifier === undefined && clauseShape(one) === clauseShape(other)
  return mergeable ? index : undefined
}

function joinValues(a: readonly Clause[], b: readonly Clause[]): readonly Clause[] {
  const at = differingClause(a, b)
  return a.map((clause, index) => {
    if (index !== at) return clause
    const values = new Map(
      [...clause.values, ...b[index]!.values].map((value) => [JSON.stringify(value), value]),
    )
    return { ...clause, values: [...values.values()] }
  })
}
