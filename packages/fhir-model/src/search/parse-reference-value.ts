import { isResourceType } from '../definitions/resource-types.ts'
import { parseReference } from '../extract/parse-reference.ts'
import type { SearchValue } from '../query.ts'
import { splitUnescaped, unescapeValue } from './escapes.ts'
import { anyOfThese, type Fault, invalid, quoted } from './search-problem.ts'
import type { ValueContext, ValueShape } from './value-shape.ts'

const ABSOLUTE = /^[A-Za-z][A-Za-z0-9+.-]{0,31}:./
const ID = /^[A-Za-z0-9.-]{1,64}$/

/**
 * Reads `id`, `Type/id` (versioned or not), an absolute URL or a canonical `url|version`. What lies
 * below our own base is local.
 *
 * @see https://hl7.org/fhir/R4/search.html#reference
 */
export function parseReferenceValue(
  shape: ValueShape,
  namedType: string | undefined,
  text: string,
  context: ValueContext,
): SearchValue | Fault {
  const parts = splitUnescaped(text, '|').map(unescapeValue)
  const [reference, version] = [parts[0]!, parts[1]]
  if (parts.length > 2 || reference.length > 4096 || version === '') return notAReference(text)
  if (version !== undefined) {
    return ABSOLUTE.test(reference)
      ? { kind: 'reference', url: reference, version }
      : notAReference(text)
  }
  if (ID.test(reference)) {
    const type = namedType ?? (shape.targets.length === 1 ? shape.targets[0]! : undefined)
    return { kind: 'reference', ...(type !== undefined && { type }), id: reference }
  }
  const place = parseReference(reference, context.baseUrl)
  if (place === undefined || reference.startsWith('#')) {
    const type = /^([A-Za-z]+)\/[A-Za-z0-9.-]{1,64}$/.exec(reference)?.[1]
    const fault = type === undefined ? undefined : wrongTarget(shape, namedType, type)
    return fault ?? notAReference(text)
  }
  if (place.type !== undefined) {
    const fault = wrongTarget(shape, namedType, place.type)
    if (fault !== undefined) return fault
  }
  return { kind: 'reference', ...place }
}

function notAReference(text: string): Fault {
  return invalid(
    `${quoted(text)} is not a reference`,
    'write an id, `Type/id`, an absolute URL, or a canonical `url|version`',
  )
}

function wrongTarget(
  shape: ValueShape,
  namedType: string | undefined,
  type: string,
): Fault | undefined {
  if (!isResourceType(type)) {
    return invalid(
      `${quoted(type)} is not a resource type`,
      'types are written as in `Patient/123`',
    )
  }
  if (namedType !== undefined && type !== namedType) {
    return invalid(
      `the parameter names ${quoted(namedType)} and the value ${quoted(type)}`,
      `write the id alone, or a reference to ${namedType}`,
    )
  }
  if (shape.targets.length > 0 && !shape.targets.includes(type)) {
    return invalid(`it never refers to ${quoted(type)}`, `refer to ${anyOfThese(shape.targets)}`)
  }
  return undefined
}
