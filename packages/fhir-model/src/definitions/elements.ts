import { structureOf } from './structure.ts'

const NONE: readonly string[] = Object.freeze([])

/**
 * The top-level elements of a resource type that `_summary=true` keeps, in the order of the
 * definition; `value` stands for `value[x]`. Empty for an unknown type.
 *
 * @see https://hl7.org/fhir/R4/search.html#summary
 */
export function summaryElements(type: string): readonly string[] {
  return structureOf(type)?.summary ?? NONE
}

/** The top-level elements that every resource of the type must have (`status`, `code` …). */
export function mandatoryElements(type: string): readonly string[] {
  return structureOf(type)?.required.map(({ element }) => element) ?? NONE
}

/**
 * Whether a JSON member of a resource belongs to the element: `valueQuantity` and `_valueString` to
 * `value`, `_birthDate` to `birthDate`.
 */
export function isElementOf(type: string, member: string, element: string): boolean {
  const name = member.startsWith('_') ? member.slice(1) : member
  return structureOf(type)?.slots.get(name)?.element === element
}
