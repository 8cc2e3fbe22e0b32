import { coversParam } from './covers-param.ts'
import { formatScope } from './format-scope.ts'
import type { Scope } from './scope.ts'

/**
 * Whether `wide` permits everything that `narrow` permits, judged by their parts: a yes is always
 * right; a no may only mean that it does not show.
 */
export function covers(wide: Scope, narrow: Scope): boolean {
  if (wide.kind === 'plain' || narrow.kind === 'plain')
    return wide.kind === narrow.kind && formatScope(wide) === formatScope(narrow)
  return (
    wide.context === narrow.context &&
    (wide.type === '*' || wide.type === narrow.type) &&
    narrow.letters.every((letter) => wide.letters.includes(letter)) &&
    wide.params.every((param) =>
      narrow.params.some((other) => coversParam(param, other, narrow.type)),
    )
  )
}

/** Whether the scopes together permit what `narrow` permits, each letter through some scope. */
export function coversTogether(wide: readonly Scope[], narrow: Scope): boolean {
  if (narrow.kind === 'plain') return wide.some((scope) => covers(scope, narrow))
  return narrow.letters.every((letter) =>
    wide.some((scope) => covers(scope, { ...narrow, letters: [letter] })),
  )
}
