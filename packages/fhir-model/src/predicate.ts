import type { Clause } from './query.ts'

/** How membership in the patient compartment is judged. */
export type CompartmentMode = 'definition' | 'guarded' | 'primary'

/**
 * Which resources of one type are meant. Plain data: compiled to SQL as a prefilter and to a
 * function as the truth. `all` exists only where it was built on purpose: nothing empty means all.
 */
export type Predicate =
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  /** INVARIANT: `of` has at least two members. */
  | { readonly kind: 'and'; readonly of: readonly Predicate[] }
  /** INVARIANT: `of` has at least two members. */
  | { readonly kind: 'or'; readonly of: readonly Predicate[] }
  | { readonly kind: 'id'; readonly ids: readonly string[] }
  | Clause
  | {
      readonly kind: 'compartment'
      readonly compartment: 'Patient'
      readonly id: string
      readonly mode: CompartmentMode
    }
  /**
   * Judged on a submitted body only (true of a stored one): every reference to a patient in a
   * compartment parameter is this patient, or stood in the previous version already.
   */
  | { readonly kind: 'no-foreign-patient'; readonly id: string }
  | VisibleVia

/** Visible because something else is, under the same Access (`r` or `s`). */
export type VisibleVia =
  /** At least one reference in `param` points to a visible resource (Provenance.target). */
  | { readonly kind: 'visible-via'; readonly rule: 'targets'; readonly param: string }
  /** `securityContext` is visible, or a visible DocumentReference, DiagnosticReport or Media has an attachment with its URL (Binary). */
  | { readonly kind: 'visible-via'; readonly rule: 'attachments' }
  /** Some visible resource refers to it (shared types set to `reachable`). */
  | { readonly kind: 'visible-via'; readonly rule: 'referrers' }
  /** Every contained entry is itself visible (stored Bundle). */
  | { readonly kind: 'visible-via'; readonly rule: 'entries' }

export const ALL: Predicate = Object.freeze({ kind: 'all' })
export const NONE: Predicate = Object.freeze({ kind: 'none' })

/** Conjunction with the constants folded. Of nothing: a programming error, never `all`. */
export function allOf(...parts: readonly Predicate[]): Predicate {
  if (parts.length === 0) throw new TypeError('allOf() of nothing has no meaning')
  if (parts.some((part) => part.kind === 'none')) return NONE
  const rest = parts
    .flatMap((part) => (part.kind === 'and' ? part.of : [part]))
    .filter((part) => part.kind !== 'all')
  return rest.length === 0 ? ALL : rest.length === 1 ? rest[0]! : { kind: 'and', of: rest }
}

/** Disjunction with the constants folded. Of nothing: `none`. */
export function anyOf(...parts: readonly Predicate[]): Predicate {
  if (parts.some((part) => part.kind === 'all')) return ALL
  const rest = parts
    .flatMap((part) => (part.kind === 'or' ? part.of : [part]))
    .filter((part) => part.kind !== 'none')
  return rest.length === 0 ? NONE : rest.length === 1 ? rest[0]! : { kind: 'or', of: rest }
}
