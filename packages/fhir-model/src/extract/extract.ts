import { evaluatedParameters } from '../definitions/registry.ts'
import type { SearchParameter } from '../definitions/search-parameter.ts'
import type { FhirResource } from '../resource.ts'
import type { IndexValue } from './index-value.ts'

export interface ExtractOptions {
  /** Our own base URL, without a final slash: absolute references below it count as relative. */
  readonly base?: string
}

const NOTHING: readonly IndexValue[] = Object.freeze([])

/**
 * What search parameter `code` finds in a resource of `type`. Empty for an unknown parameter and
 * for a resource of another type. Never throws, whatever the resource holds; malformed parts give
 * no value.
 */
export function extract(
  type: string,
  code: string,
  resource: FhirResource,
  options?: ExtractOptions,
): readonly IndexValue[] {
  const evaluated = evaluatedParameters(type).get(code)
  if (evaluated === undefined || resource.resourceType !== type) return NOTHING
  const found: IndexValue[] = []
  evaluated.extractor(resource, found, options?.base)
  return found
}

/** One call per resource for the indexer: every parameter that finds something, with its values. */
export function extractAll(
  type: string,
  resource: FhirResource,
  options?: ExtractOptions,
): readonly (readonly [SearchParameter, readonly IndexValue[]])[] {
  const all: (readonly [SearchParameter, readonly IndexValue[]])[] = []
  if (resource.resourceType !== type) return all
  const base = options?.base
  let found: IndexValue[] = []
  for (const { parameter, extractor } of evaluatedParameters(type).values()) {
    extractor(resource, found, base)
    if (found.length === 0) continue
    all.push([parameter, found])
    found = []
  }
  return all
}
