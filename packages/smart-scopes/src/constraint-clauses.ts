import {
  type Clause,
  parseScopeConstraint,
  RESOURCE_TYPES,
  searchParameter,
} from '@scopegate/fhir-model'
import { formatConstraint } from './format-scope.ts'
import type { ResourceScope, ScopeProblem } from './scope.ts'

/**
 * The constraint of a scope on one type, as clauses that must all hold; none for an unconstrained
 * scope. `undefined` when any part of it has no exact meaning there: the scope then grants nothing
 * of the type. Absolute references below `baseUrl` count as local.
 */
export function constraintClauses(
  scope: ResourceScope,
  type: string,
  baseUrl?: string,
): readonly Clause[] | undefined {
  if (scope.params.length === 0) return []
  // Asked of every type for a wildcard: the parser would look for a name that was meant.
  if (scope.params.some(({ name }) => searchParameter(type, name) === undefined)) return undefined
  const parsed = parseScopeConstraint(
    type,
    formatConstraint(scope.params),
    baseUrl === undefined ? {} : { baseUrl },
  )
  // INVARIANT: a constraint never shrinks on its way to clauses; fewer would be a wider grant.
  return parsed.ok && parsed.clauses.length >= scope.params.length ? parsed.clauses : undefined
}

/** Why the constraint can be evaluated on no type that the scope names; `undefined` when it can. */
export function constraintProblem(scope: ResourceScope): ScopeProblem | undefined {
  if (scope.params.length === 0) return undefined
  const text = formatConstraint(scope.params)
  if (scope.type === '*') {
    if (RESOURCE_TYPES.some((type) => constraintClauses(scope, type) !== undefined))
      return undefined
    return {
      reason: 'bad_constraint',
      message: `no resource type can be searched by \`${text}\``,
      fix: 'constrain by token, reference, date or uri parameters that the types have',
    }
  }
  if (constraintClauses(scope, scope.type) !== undefined) return undefined
  const parsed = parseScopeConstraint(scope.type, text)
  const fault = parsed.ok ? undefined : parsed.problem
  return {
    reason: 'bad_constraint',
    message: fault?.why ?? `\`${text}\` cannot be evaluated exactly on ${scope.type}`,
    fix: fault?.fix ?? 'constrain by token, reference, date or uri parameters of the type',
  }
}
