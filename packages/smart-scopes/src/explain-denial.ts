import { type Check, failed } from '@scopegate/checks'
import type { CompiledAccess } from './compile-access.ts'
import { listScopes } from './list-scopes.ts'
import type { Verdict } from './weigh-scopes.ts'

/**
 * The one check to tell of a denial: of all scopes the one that came closest decides. Depends on
 * the token and the policy only.
 */
export function explainDenial(
  { voided, scopeOrigin }: CompiledAccess,
  because: readonly Verdict[],
  needed: string,
): Check {
  const of = (says: Verdict['says']) =>
    because.filter((verdict) => verdict.says === says).map(({ scope }) => scope)

  const plain = of('not_clinical')
  if (scopeOrigin !== undefined && plain.length === because.length)
    return failed('scope_unmapped', { expected: needed, got: scopeOrigin })
  if (because.length === 0) return failed('scope_missing', { expected: needed })
  if (plain.length === because.length)
    return failed('scope_not_clinical', { expected: needed, got: listScopes(plain) })
  const broken = voided.filter(({ parsed }) => parsed === undefined)
  if (plain.length + broken.length === because.length)
    return failed('scopes_void', {
      expected: needed,
      got: broken
        .slice(0, 3)
        .map(({ scope, why }) => `\`${shorten(scope)}\`: ${why}`)
        .join('; '),
      fix: broken
        .slice(0, 3)
        .map(({ scope, fix }) => `\`${shorten(scope)}\`: ${fix}`)
        .join('; '),
    })

  const withoutContext = voided.find(
    ({ scope, check }) => check !== undefined && of('context_missing').includes(scope),
  )
  if (withoutContext?.check !== undefined) return withoutContext.check
  const outside = of('outside_context')
  if (outside.length > 0)
    return failed('type_outside_context', { expected: needed, got: listScopes(outside) })
  const undefinedThere = of('constraint_undefined')
  if (undefinedThere.length > 0)
    return failed('constraint_undefined_for_type', {
      expected: needed,
      got: listScopes(undefinedThere),
    })
  const otherLetters = of('lacks_letter')
  if (otherLetters.length > 0)
    return failed('permission_missing', { expected: needed, got: listScopes(otherLetters) })
  return failed('type_not_granted', {
    expected: needed,
    got: listScopes(
      because
        .filter(({ says }) => says !== 'not_clinical')
        .map(({ scope, says }) => (says === 'void' ? `${scope} (void)` : scope)),
    ),
  })
}

function shorten(text: string): string {
  return text.length > 120 ? `${text.slice(0, 119)}…` : text
}
