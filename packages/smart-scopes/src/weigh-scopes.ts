import type { Letter } from '@scopegate/fhir-model'
import type { CompiledAccess } from './compile-access.ts'
import { constraintClauses } from './constraint-clauses.ts'
import { contextPredicate } from './context-predicate.ts'
import { formatScope } from './format-scope.ts'
import type { ResourceScope } from './scope.ts'

/** What one scope of the token says of an interaction. */
export interface Verdict {
  readonly scope: string
  readonly says:
    | 'covers'
    | 'other_type'
    | 'lacks_letter'
    /** All types, but constrained by a parameter that this type does not have. */
    | 'constraint_undefined'
    /** Its context reaches no resource of the type. */
    | 'outside_context'
    /** It would cover, if the token filled its context. */
    | 'context_missing'
    | 'void'
    | 'not_clinical'
  /** For what is void: the reason. */
  readonly why?: string
}

/** Every scope of the token with its verdict; `type` undefined means any type. */
export function weighScopes(
  { grants, voided, plain, policy }: CompiledAccess,
  letter: Letter,
  type: string | undefined,
): readonly Verdict[] {
  return [
    ...grants.map(({ scope, context }): Verdict => {
      const says = shape(scope, letter, type)
      const reachesNothing =
        says === 'covers' &&
        type !== undefined &&
        contextPredicate(context, type, letter, policy).kind === 'none'
      return { scope: formatScope(scope), says: reachesNothing ? 'outside_context' : says }
    }),
    ...voided.map(({ scope, parsed, why }): Verdict => {
      if (parsed === undefined) return { scope, says: 'void', why }
      const says = shape(parsed, letter, type)
      return says === 'covers' ? { scope, says: 'context_missing', why } : { scope, says }
    }),
    ...plain.map((scope): Verdict => ({ scope, says: 'not_clinical' })),
  ]
}

function shape(scope: ResourceScope, letter: Letter, type: string | undefined): Verdict['says'] {
  if (type !== undefined && scope.type !== '*' && scope.type !== type) return 'other_type'
  if (!scope.letters.includes(letter)) return 'lacks_letter'
  if (type !== undefined && constraintClauses(scope, type) === undefined)
    return 'constraint_undefined'
  return 'covers'
}
