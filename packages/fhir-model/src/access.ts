import { NONE, type Predicate } from './predicate.ts'

/** The permissions of SMART v2 scopes, in their canonical order. */
export const LETTERS = ['c', 'r', 'u', 'd', 's'] as const
export type Letter = (typeof LETTERS)[number]

/**
 * What one caller may do, compiled once from a verified token. Plain data; every backend call
 * takes the Access it runs under. A type that is missing under a letter is denied.
 */
export interface Access {
  /**
   * Changes whenever anything that this Access permits changes, and with the caller: bound into
   * cursors and cache keys.
   */
  readonly fingerprint: string
  readonly allowed: Readonly<Record<Letter, ReadonlyMap<string, Predicate>>>
}

/** What `letter` permits on `type`; `none` when nothing was granted. */
export function allowedFor(access: Access, letter: Letter, type: string): Predicate {
  return access.allowed[letter].get(type) ?? NONE
}

/** Whether the Access leaves `type` unrestricted under `letter`. */
export function isUnrestricted(access: Access, letter: Letter, type: string): boolean {
  return allowedFor(access, letter, type).kind === 'all'
}
