import { structureOf } from '../definitions/structure.ts'
import type { PathPart } from '../problem.ts'
import type { FhirResource } from '../resource.ts'
import { replaceStringsAt, type StringEdit } from './replace-strings.ts'

type Members = Readonly<Record<string, unknown>>
/** Gives the new text for a reference, or `undefined` to leave it. */
type Rewrite = (reference: string) => string | undefined

const LINK = /(\b(?:href|src)\s*=\s*)("[^"]*"|'[^']*')/g
const URI_TYPES: ReadonlySet<string> = new Set(['uri', 'url', 'oid', 'uuid'])

/**
 * Rewrites references as a transaction asks: where `Reference.reference`, or an `href` or `src` in a
 * narrative, equals a key of `map` (a fullUrl), it becomes the value (`Type/id`). A `#fragment` stays
 * behind it. Elements of type uri, url, oid and uuid follow for keys that start with `urn:`; other
 * URLs may be names that only look like a fullUrl (`ValueSet.url`). Canonicals are names and stay.
 * Every other byte of the text stays. Contained resources and extensions are looked into.
 *
 * @param text As accepted by `parseResource`.
 * @param resource The value of `text`.
 * @see https://hl7.org/fhir/R4/http.html#trules
 */
export function editReferences(
  text: string,
  resource: FhirResource,
  map: ReadonlyMap<string, string>,
): string {
  if (map.size === 0) return text
  return replaceStringsAt(
    text,
    referenceEdits(resource, (reference) => lookUp(reference, map)),
  )
}

/** Every `Reference.reference` of a resource (contained resources and extensions too), with its place. */
export function referencesIn(
  resource: FhirResource,
): readonly { readonly path: readonly PathPart[]; readonly reference: string }[] {
  const found: { path: readonly PathPart[]; reference: string }[] = []
  visit(resource, (type, member, value, path) => {
    if (type === 'Reference' && member === 'reference')
      found.push({ path: [...path], reference: value })
  })
  return found
}

function lookUp(reference: string, map: ReadonlyMap<string, string>): string | undefined {
  const whole = map.get(reference)
  if (whole !== undefined) return whole
  const hash = reference.indexOf('#')
  if (hash <= 0) return undefined
  const target = map.get(reference.slice(0, hash))
  return target === undefined ? undefined : target + reference.slice(hash)
}

function referenceEdits(resource: FhirResource, rewrite: Rewrite): readonly StringEdit[] {
  const edits: StringEdit[] = []
  visit(resource, (type, member, value, path, elementType) => {
    let edited: string | undefined
    if (type === 'Reference' && member === 'reference') edited = rewrite(value)
    else if (URI_TYPES.has(elementType))
      edited = value.startsWith('urn:') ? rewrite(value) : undefined
    else if (elementType === 'xhtml') edited = rewriteLinks(value, rewrite)
    if (edited !== undefined && edited !== value) edits.push({ path: [...path], value: edited })
  })
  return edits
}

function rewriteLinks(xhtml: string, rewrite: Rewrite): string {
  return xhtml.replace(LINK, (whole, before: string, quoted: string) => {
    const target = rewrite(quoted.slice(1, -1))
    return target === undefined ? whole : `${before}${quoted[0]}${target}${quoted[0]}`
  })
}

type Visitor = (
  type: string,
  member: string,
  value: string,
  path: readonly PathPart[],
  elementType: string,
) => void

/** Calls `visitor` for every string that stands where R4 has an element. */
function visit(resource: FhirResource, visitor: Visitor): void {
  const path: PathPart[] = []
  const object = (value: unknown, type: string): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return
    const members = value as Members
    const actual = type === 'Resource' ? String(members.resourceType) : type
    const structure = structureOf(actual)
    if (structure === undefined) return
    for (const member in members) {
      const extended = member.startsWith('_')
      const slot = structure.slots.get(extended ? member.slice(1) : member)
      if (slot === undefined) continue
      path.push(member)
      each(members[member], (one) => {
        if (typeof one === 'string') visitor(actual, member, one, path, slot.type)
        else object(one, extended ? 'Element' : slot.type)
      })
      path.pop()
    }
  }
  const each = (value: unknown, one: (value: unknown) => void): void => {
    if (!Array.isArray(value)) one(value)
    else
      value.forEach((item: unknown, index) => {
        path.push(index)
        one(item)
        path.pop()
      })
  }
  object(resource, 'Resource')
}
