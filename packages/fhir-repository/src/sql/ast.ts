import type { Key } from '../keys.ts'

/** A condition on one row `r` of `res`, before it is text. Nothing in it is ever pasted into SQL. */
export type Condition =
  /** Built on purpose only: an unrestricted predicate, or a part left to the matcher. */
  | { readonly kind: 'everything' }
  | { readonly kind: 'nothing' }
  /** INVARIANT: `keys` is not empty: `keys @> '{}'` is true of every row. */
  | { readonly kind: 'keys-all'; readonly keys: readonly Key[] }
  | { readonly kind: 'keys-any'; readonly keys: readonly Key[] }
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  | { readonly kind: 'updated'; readonly tests: Tests }
  | {
      readonly kind: 'index'
      readonly table: 'ix_date' | 'ix_num' | 'ix_str'
      readonly param: number
      readonly tests: Tests
    }
  /** Some literal reference of the row, by `param` (undefined: any), points to a row that fits. */
  | { readonly kind: 'refers-to'; readonly param: string | undefined; readonly target: Condition }
  /** Some row that fits refers to the row. */
  | { readonly kind: 'referred-by'; readonly source: Condition }
  /** INVARIANT: `types` is not empty. */
  | { readonly kind: 'types'; readonly types: readonly string[] }
  | { readonly kind: 'and'; readonly of: readonly Condition[] }
  | { readonly kind: 'or'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }

/** Alternatives of conjunctions. INVARIANT: neither is empty. */
export type Tests = readonly (readonly Test[])[]
export interface Test {
  readonly column: 'lo' | 'hi' | 'k' | 'u' | 'c' | 'n' | 'v' | 'x' | 'lu' | 'left(v, 200)'
  readonly operator: '=' | '<' | '<=' | '>' | '>=' | 'like'
  readonly value: string | number
}

/**
 * What SQL can say of a clause or a predicate. Rows that fit always fulfil `condition`; when
 * `exact`, the reverse holds as well (but for hash collisions).
 */
export interface Prefilter {
  readonly condition: Condition
  readonly exact: boolean
}

export const EVERYTHING: Condition = { kind: 'everything' }
export const NOTHING: Condition = { kind: 'nothing' }
/** SQL cannot narrow this part: the matcher decides. */
export const LEFT_TO_MATCHER: Prefilter = { condition: EVERYTHING, exact: false }

export function keysAll(...keys: readonly Key[]): Condition {
  if (keys.length === 0) throw new TypeError('keysAll() of nothing would be true of every row')
  return { kind: 'keys-all', keys }
}

export function keysAny(...keys: readonly Key[]): Condition {
  return keys.length === 0 ? NOTHING : { kind: 'keys-any', keys: [...new Set(keys)] }
}

/** Conjunction; conjoined keys become one containment. Of nothing: a programming error. */
export function and(...parts: readonly Condition[]): Condition {
  if (parts.length === 0) throw new TypeError('and() of nothing has no meaning')
  if (parts.some((part) => part.kind === 'nothing')) return NOTHING
  const flat = parts.flatMap((part) => (part.kind === 'and' ? part.of : [part]))
  const keys = new Set<Key>()
  const rest: Condition[] = []
  for (const part of flat) {
    if (part.kind === 'everything') continue
    if (part.kind === 'keys-all') for (const key of part.keys) keys.add(key)
    else if (part.kind === 'keys-any' && part.keys.length === 1) keys.add(part.keys[0]!)
    else rest.push(part)
  }
  if (keys.size > 0) rest.unshift(keysAll(...keys))
  return rest.length === 0 ? EVERYTHING : rest.length === 1 ? rest[0]! : { kind: 'and', of: rest }
}

/** Disjunction. Of nothing: `nothing`. */
export function or(...parts: readonly Condition[]): Condition {
  if (parts.some((part) => part.kind === 'everything')) return EVERYTHING
  const flat = parts
    .flatMap((part) => (part.kind === 'or' ? part.of : [part]))
    .filter((part) => part.kind !== 'nothing')
  const keys = new Set<Key>()
  const rest: Condition[] = []
  for (const part of flat) {
    if (part.kind === 'keys-any') for (const key of part.keys) keys.add(key)
    else if (part.kind === 'keys-all' && part.keys.length === 1) keys.add(part.keys[0]!)
    else rest.push(part)
  }
  if (keys.size > 0) rest.unshift(keysAny(...keys))
  return rest.length === 0 ? NOTHING : rest.length === 1 ? rest[0]! : { kind: 'or', of: rest }
}

export function not(part: Condition): Condition {
  if (part.kind === 'everything') return NOTHING
  if (part.kind === 'nothing') return EVERYTHING
  return { kind: 'not', of: part }
}

export const exactly = (condition: Condition): Prefilter => ({ condition, exact: true })

export function bothOf(parts: readonly Prefilter[]): Prefilter {
  return {
    condition: and(...parts.map((part) => part.condition)),
    exact: parts.every((part) => part.exact),
  }
}

export function eitherOf(parts: readonly Prefilter[]): Prefilter {
  return {
    condition: or(...parts.map((part) => part.condition)),
    exact: parts.every((part) => part.exact),
  }
}

/** The complement of a mere prefilter would lose rows, so it becomes no prefilter at all. */
export function noneOf(part: Prefilter): Prefilter {
  return part.exact ? exactly(not(part.condition)) : LEFT_TO_MATCHER
}
