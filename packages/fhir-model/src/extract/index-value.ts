/**
 * What one search parameter finds in one resource, as typed values. The indexer stores them, the
 * matcher compares them with a `SearchValue`; both see the same values, so SQL and matcher agree.
 */
export type IndexValue =
  | TokenIndexValue
  | ReferenceIndexValue
  | StringIndexValue
  | DateIndexValue
  | NumberIndexValue
  | QuantityIndexValue
  | UriIndexValue
  | CompositeIndexValue

/**
 * A Coding, each Coding of a CodeableConcept, Identifier, ContactPoint, code, boolean, id, string
 * or uri searched as token. `CodeableConcept.text` and displays never become tokens.
 */
export interface TokenIndexValue {
  readonly kind: 'token'
  /** Missing when the element states none: `|code` matches then, `system|code` does not. */
  readonly system?: string
  /**
   * For an element of type `code`, which has no system of its own: the system that its required
   * binding implies. `system|code` may match it; `|code` and plain `code` match as well.
   */
  readonly impliedSystem?: string
  /** Identifier.value, ContactPoint.value, `'true'` … Missing when only a system is stated. */
  readonly code?: string
  /** The code is the same in upper and lower case, though no system says so: a ContactPoint. */
  readonly ignoresCase?: true
  /** Identifier.type codings, for `:of-type`. */
  readonly types?: readonly { readonly system?: string; readonly code?: string }[]
}

/**
 * A Reference or canonical. Fragments (`#contained`) give no value.
 *
 * - `Patient/1`, `Patient/1/_history/2`, and absolute URLs below the given base: `type`, `id`, `version`.
 * - Other absolute URLs and `urn:` values: `url` (a `/_history/n` end is split off into `version`).
 * - canonical: `url` and `version` (after `|`); a `#fragment` is dropped.
 * - `identifier` stands alone or beside the above.
 *
 * INVARIANT: `type` and `id` are both set or both missing.
 */
export interface ReferenceIndexValue {
  readonly kind: 'reference'
  readonly type?: string
  readonly id?: string
  readonly url?: string
  readonly version?: string
  readonly identifier?: { readonly system?: string; readonly value?: string }
}

/** One part of a name or an address is one value. */
export interface StringIndexValue {
  readonly kind: 'string'
  /** `foldString(exact)`: NFD, marks removed, lower case. */
  readonly folded: string
  readonly exact: string
}

/**
 * The span the stored text covers, epoch milliseconds, half open `[fromMs, toMs)`. An open end of
 * a Period is `-Infinity` or `Infinity` (neither survives JSON).
 */
export interface DateIndexValue {
  readonly kind: 'date'
  readonly fromMs: number
  readonly toMs: number
}

/**
 * `low` and `high` bound, inclusively, what the element may mean: both equal `value` unless it is a
 * Range. A stored decimal is a point: its trailing zeros do not survive `JSON.parse`.
 */
export interface NumberIndexValue {
  readonly kind: 'number'
  readonly value: number
  readonly low: number
  readonly high: number
}

/**
 * Quantity (and Age, Duration, Money, Range, SampledData bounds). `low`/`high` as for numbers; with
 * a comparator or an open Range one of them is infinite. Money: system `urn:iso:std:iso:4217`.
 */
export interface QuantityIndexValue {
  readonly kind: 'quantity'
  readonly value: number
  readonly low: number
  readonly high: number
  readonly comparator?: '<' | '<=' | '>=' | '>'
  readonly system?: string
  readonly code?: string
  readonly unit?: string
}

export interface UriIndexValue {
  readonly kind: 'uri'
  readonly uri: string
}

/**
 * One element that the composite looks at (one Observation.component, say): `parts[i]` holds what
 * component i of the parameter finds there. INVARIANT: every part has at least one value.
 */
export interface CompositeIndexValue {
  readonly kind: 'composite'
  readonly parts: readonly (readonly IndexValue[])[]
}
