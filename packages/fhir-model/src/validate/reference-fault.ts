import { isResourceType } from '../definitions/resource-types.ts'
import { parseReference } from '../extract/parse-reference.ts'

type Members = Readonly<Record<string, unknown>>
const ABSOLUTE = /^[A-Za-z][A-Za-z0-9+.-]*:\S+$/
/** `Practitioner?identifier=…`: resolved in transactions; elsewhere it leads nowhere. */
const CONDITIONAL = /^([A-Z][A-Za-z]+)\?\S+$/

/** What is wrong with a Reference, or `undefined`; nothing is resolved but `#id`. */
export function referenceFault(
  value: Members,
  targets: readonly string[],
  scope: { readonly contained: ReadonlyMap<string, string>; readonly type: string },
): string | undefined {
  const { reference, type } = value
  if (typeof type === 'string' && isResourceType(type) && isWrong(type, targets))
    return `\`type\` is not one of the types allowed here: ${targets.join(', ')}`
  if (typeof reference !== 'string') return undefined
  if (reference.startsWith('#')) {
    const target = reference === '#' ? scope.type : scope.contained.get(reference.slice(1))
    if (target === undefined) return 'the reference leads to no contained resource'
    return isWrong(target, targets) ? wrongTarget(targets) : undefined
  }
  const conditional = CONDITIONAL.exec(reference)?.[1]
  if (conditional !== undefined && isResourceType(conditional))
    return isWrong(conditional, targets) ? wrongTarget(targets) : undefined
  const place = parseReference(reference)
  if (place?.type !== undefined)
    return isWrong(place.type, targets) ? wrongTarget(targets) : undefined
  if (place !== undefined && ABSOLUTE.test(reference)) return undefined
  return 'this is no reference: `Type/id`, an absolute URL, `urn:uuid:…` or `#id` is expected'
}

function isWrong(type: string, targets: readonly string[]): boolean {
  return targets.length > 0 && !targets.includes(type)
}

function wrongTarget(targets: readonly string[]): string {
  return `the reference leads to a type that is not allowed here: ${targets.join(', ')}`
}
