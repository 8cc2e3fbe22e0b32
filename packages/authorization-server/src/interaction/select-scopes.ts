import type { Form } from '../pages/read-form.ts'

/** A scope as the user may choose it: see `ConsentItem`. */
export interface Offered {
  readonly scope: string
  readonly title: string
  readonly kinds: readonly { readonly scope: string }[]
}

export type ScopeSelection =
  /** May be empty: nothing was allowed. */
  | { readonly kind: 'selected'; readonly scopes: readonly string[] }
  /** A scope was to be narrowed to kinds, and none was ticked. */
  | { readonly kind: 'incomplete'; readonly title: string }

/**
 * What a consent form allows, out of what was offered; everything else in the form is nothing. A
 * scope that is narrowed to kinds is replaced by the scopes of these kinds.
 */
export function selectScopes(offered: readonly Offered[], form: Form): ScopeSelection {
  const ticked = new Set(form.all('scope'))
  const scopes: string[] = []
  for (const { scope, title, kinds } of offered) {
    if (!ticked.has(scope)) continue
    if (kinds.length === 0 || form.one(`mode ${scope}`) === 'all') {
      scopes.push(scope)
      continue
    }
    const chosen = new Set(form.all(`kind ${scope}`))
    const narrowed = kinds.filter((kind) => chosen.has(kind.scope))
    if (narrowed.length === 0) return { kind: 'incomplete', title }
    scopes.push(...narrowed.map((kind) => kind.scope))
  }
  return { kind: 'selected', scopes }
}
