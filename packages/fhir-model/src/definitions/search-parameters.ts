import { evaluatedParameters } from './registry.ts'
import type { SearchParameter } from './search-parameter.ts'

/**
 * The search parameter `code` of a resource type, `_id` and its like among them. `undefined` for
 * what R4 does not define there, and for what has no expression (`_text`, `_filter` …).
 */
export function searchParameter(type: string, code: string): SearchParameter | undefined {
  return evaluatedParameters(type).get(code)?.parameter
}

/** All search parameters of a resource type, sorted by code; empty for an unknown type. */
export function searchParameters(type: string): readonly SearchParameter[] {
  return Array.from(evaluatedParameters(type).values(), ({ parameter }) => parameter)
}
