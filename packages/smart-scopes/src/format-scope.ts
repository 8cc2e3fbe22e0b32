import type { ResourceScope, Scope, ScopeParam } from './scope.ts'

/**
 * The canonical text of a scope: permissions in order (or the v1 word as it came), parameters in
 * the order they have, and percent-encoding only where it is needed. `parseScope` of it gives the
 * same scope again.
 */
export function formatScope(scope: Scope): string {
  if (scope.kind === 'plain') return scope.value
  const permissions = scope.v1 ?? scope.letters.join('')
  const constraint = formatConstraint(scope.params)
  return `${scope.context}/${scope.type}.${permissions}${constraint === '' ? '' : `?${constraint}`}`
}

/** `category=a,b&status=final`; empty for no parameters. */
export function formatConstraint(params: readonly ScopeParam[]): string {
  return params.map(({ name, values }) => `${name}=${encode(values.join(','))}`).join('&')
}

/** Equal for scopes that permit the same and differ only in order, repetition or spelling. */
export function scopeKey(scope: ResourceScope): string {
  return `${scope.context}/${scope.type}.${scope.letters.join('')}?${constraintKey(scope.params)}`
}

/** Equal for constraints that differ only in order or repetition. */
export function constraintKey(params: readonly ScopeParam[]): string {
  const parts = params.map(({ name, values }) =>
    formatConstraint([{ name, values: [...new Set(values)].sort() }]),
  )
  return [...new Set(parts)].sort().join('&')
}

// Kept: what may stand in a scope (RFC 6749 §3.3) and does not end a value. `+` is encoded, since
// some decoders read it as a space; `%` because decoding happens once.
function encode(value: string): string {
  return value.replace(/[^\x21\x23\x24\x27-\x2a\x2c-\x5b\x5d-\x7e]+/gu, encodeURIComponent)
}
