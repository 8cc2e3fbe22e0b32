import { isResourceType } from '../definitions/resource-types.ts'
import { searchParameter } from '../definitions/search-parameters.ts'
import type { Include } from '../query.ts'
import { anyOfThese, type Fault, invalid, quoted } from './search-problem.ts'

/**
 * Reads the value of `_include` or `_revinclude` (`:iterate`): `Source:param`, `Source:param:Target`,
 * `Source:*` or `*`. Without `:iterate` an include starts from, and a reverse include ends at,
 * the type that is searched.
 *
 * @see https://hl7.org/fhir/R4/search.html#include
 */
export function parseInclude(
  type: string,
  name: '_include' | '_revinclude',
  iterate: boolean,
  value: string,
): Include | Fault {
  if (value === '*') {
    return { source: name === '_include' && !iterate ? type : '*', param: '*', iterate }
  }
  const [source, param, target, ...more] = value.split(':')
  if (!source || !param || target === '' || more.length > 0) {
    return invalid(
      `${quoted(value)} is not an include`,
      'write `Source:parameter`, `Source:parameter:Target` or `*`, as in `Observation:subject:Patient`',
    )
  }
  for (const named of target === undefined ? [source] : [source, target]) {
    if (!isResourceType(named)) {
      return invalid(`${quoted(named)} is not a resource type`, 'write `Source:parameter:Target`')
    }
  }
  if (name === '_include' && !iterate && source !== type) {
    return invalid(
      `the search returns ${type}, so ${quoted(value)} has nothing to start from`,
      'write `_include:iterate` to start from included resources',
    )
  }
  if (name === '_revinclude' && !iterate && target !== undefined && target !== type) {
    return invalid(
      `the search returns ${type}, so nothing found refers to it as ${quoted(target)}`,
      'write `_revinclude:iterate` to start from included resources',
    )
  }
  const named = target === undefined ? {} : { target }
  if (param === '*') return { source, param, ...named, iterate }

  const parameter = searchParameter(source, param)
  if (parameter?.type !== 'reference') {
    return invalid(
      `${source} has no reference parameter ${quoted(param)}`,
      `name a parameter of ${source} that is a reference`,
    )
  }
  const needed = target ?? (name === '_revinclude' && !iterate ? type : undefined)
  if (needed !== undefined && !parameter.targets.includes(needed)) {
    return invalid(
      `${source}.${param} never refers to ${needed}`,
      `it refers to ${anyOfThese(parameter.targets)}`,
    )
  }
  return { source, param, ...named, iterate }
}
