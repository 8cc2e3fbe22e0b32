/** What bounds the work that one search text can ask for. Beyond a limit it is refused, never cut. */
export interface SearchLimits {
  /** Parameters in one search, ignored ones included. */
  readonly parameters: number
  /** Alternatives over all parameters of one search. */
  readonly values: number
  /** Characters in one parameter name, chains included. */
  readonly nameLength: number
  /** Characters in one parameter value, all its alternatives. */
  readonly valueLength: number
  /** Characters in one alternative of a value. */
  readonly alternativeLength: number
  /** Links of one chain or nested `_has`. */
  readonly chainLinks: number
  /** Types that the untyped links of one search are tried on, multiplied along a chain. */
  readonly chainTargets: number
}

export const SEARCH_LIMITS: SearchLimits = Object.freeze({
  parameters: 100,
  values: 2000,
  nameLength: 400,
  valueLength: 65_536,
  alternativeLength: 4096,
  chainLinks: 4,
  chainTargets: 200,
})
