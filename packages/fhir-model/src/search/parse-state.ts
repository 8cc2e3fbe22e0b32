import type { SearchLimits } from './search-limits.ts'
import type { ValueContext } from './value-shape.ts'

/** One parse of one search: what it knows, and what it may still spend. */
export interface ParseState extends ValueContext {
  readonly limits: SearchLimits
  valuesLeft: number
  chainTargetsLeft: number
  /** Looking for a similar name costs more than the rest; a few are enough. */
  suggestionsLeft: number
}

/** A fresh state for one search. */
export function startParse(
  limits: SearchLimits,
  baseUrl: string | undefined,
  nowMs: number,
): ParseState {
  return {
    limits,
    baseUrl,
    nowMs,
    valuesLeft: limits.values,
    chainTargetsLeft: limits.chainTargets,
    suggestionsLeft: 5,
  }
}
