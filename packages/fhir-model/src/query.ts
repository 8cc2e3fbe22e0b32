/** A search as the backend gets it: parsed, every name known, every value understood. */

export type SearchParamType =
  | 'token'
  | 'reference'
  | 'string'
  | 'date'
  | 'number'
  | 'quantity'
  | 'uri'
  | 'composite'
  | 'special'

export type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap'

export type Modifier =
  | 'exact'
  | 'contains'
  | 'missing'
  | 'not'
  | 'of-type'
  | 'identifier'
  | 'below'
  | 'above'

/**
 * One value of a clause; the values of a clause are alternatives.
 *
 * - token: `system` undefined = any system, `''` = explicitly none; `code` undefined = any code.
 * - reference: `type` undefined = any target type of the parameter; `url` for absolute and
 *   canonical references (with `version` split off a canonical).
 * - date: the range the text covers, epoch milliseconds, half open `[fromMs, toMs)`; for `ap`
 *   widened already.
 * - number, quantity: `low`/`high` bound the implicit precision of the text, half open; for `ap`
 *   ten per cent to either side. They count for eq, ne and ap, the other prefixes go by `value`.
 */
export type SearchValue =
  | { readonly kind: 'token'; readonly system?: string; readonly code?: string }
  | {
      readonly kind: 'of-type'
      readonly system: string
      readonly code: string
      readonly value: string
    }
  | { readonly kind: 'identifier'; readonly system?: string; readonly value?: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'uri'; readonly uri: string }
  | {
      readonly kind: 'reference'
      readonly type?: string
      readonly id?: string
      readonly url?: string
      readonly version?: string
    }
  | {
      readonly kind: 'date'
      readonly prefix: Prefix
      readonly fromMs: number
      readonly toMs: number
    }
  | {
      readonly kind: 'number'
      readonly prefix: Prefix
      readonly value: number
      readonly low: number
      readonly high: number
    }
  | {
      readonly kind: 'quantity'
      readonly prefix: Prefix
      readonly value: number
      readonly low: number
      readonly high: number
      /** undefined = not asked; a code without a system is the coded unit or the one for humans. */
      readonly system?: string
      readonly code?: string
    }
  | { readonly kind: 'composite'; readonly parts: readonly SearchValue[] }
  | { readonly kind: 'missing'; readonly missing: boolean }

/** One parameter of a search, without joins: `code=a,b`, `date=ge2024`, `category:not=x`. */
export interface Clause {
  readonly kind: 'clause'
  readonly param: string
  readonly type: SearchParamType
  readonly modifier?: Modifier
  /** INVARIANT: not empty. */
  readonly values: readonly SearchValue[]
}

/** `param:Type.next=…`; `targets` are the types the chain is tried on, at least one. */
export interface Chain {
  readonly kind: 'chain'
  readonly param: string
  readonly targets: readonly ChainTarget[]
  /** True when the client named the type (`subject:Patient.name`). */
  readonly typed: boolean
}
export interface ChainTarget {
  readonly type: string
  readonly filter: Filter
}

/** `_has:type:param:next=…`: some `type` refers to the resource by `param` and fits `filter`. */
export interface Has {
  readonly kind: 'has'
  readonly type: string
  readonly param: string
  readonly filter: Filter
}

export type Filter = Clause | Chain | Has

export interface SortKey {
  readonly param: string
  readonly type: SearchParamType
  readonly descending: boolean
}

/** `_include=Source:param:Target`; `'*'` for every parameter, `target` undefined = any. */
export interface Include {
  readonly source: string
  readonly param: string
  readonly target?: string
  readonly iterate: boolean
}

export interface SearchQuery {
  readonly type: string
  /** All must hold. Empty means every resource of the type (that the Access permits). */
  readonly filters: readonly Filter[]
  readonly sort: readonly SortKey[]
  /** Page size; 0 asks for the total only. */
  readonly count: number
  readonly total: 'none' | 'estimate' | 'accurate'
  readonly summary: 'false' | 'true' | 'text' | 'data' | 'count'
  /** Top-level element names to keep; empty means all. */
  readonly elements: readonly string[]
  readonly includes: readonly Include[]
  readonly revincludes: readonly Include[]
  /** Where the previous page ended, as the backend gave it in `SearchAnswer.next`. */
  readonly after?: SearchPosition
  /** The parameters that took part, as the client wrote them, for the self link. */
  readonly used: readonly (readonly [name: string, value: string])[]
}

/** Opaque to everyone but the backend that made it; JSON. */
export type SearchPosition = readonly (string | number | null)[]
