import { type Found, isMembers, textOf } from './members.ts'
import { parseCanonical, parseReference, referencedType } from './parse-reference.ts'

export function uriText(value: unknown, found: Found): void {
  const uri = textOf(value)
  if (uri !== undefined) found.push({ kind: 'uri', uri })
}

export function uriExtension(value: unknown, found: Found): void {
  if (!isMembers(value)) return
  for (const name of URI_VALUES) uriText(value[name], found)
}
const URI_VALUES = ['valueUri', 'valueUrl', 'valueCanonical', 'valueOid', 'valueUuid']

export function referencePlain(value: unknown, found: Found, base: string | undefined): void {
  if (!isMembers(value)) return
  const text = textOf(value.reference)
  const place = text === undefined ? undefined : parseReference(text, base)
  const given = value.identifier
  if (given === undefined) {
    if (place !== undefined) found.push({ kind: 'reference', ...place })
    return
  }
  const identifier: { system?: string; value?: string } = {}
  if (isMembers(given)) {
    const system = textOf(given.system)
    const code = textOf(given.value)
    if (system !== undefined) identifier.system = system
    if (code !== undefined) identifier.value = code
  }
  const known = identifier.system !== undefined || identifier.value !== undefined
  if (known) found.push({ kind: 'reference', ...place, identifier })
  else if (place !== undefined) found.push({ kind: 'reference', ...place })
}

export function referenceCanonical(value: unknown, found: Found, base: string | undefined): void {
  const text = textOf(value)
  const place = text === undefined ? undefined : parseCanonical(text, base)
  if (place !== undefined) found.push({ kind: 'reference', ...place })
}

/** A resource in place of a reference to it (`Bundle.entry[0].resource`). */
export function referenceInline(value: unknown, found: Found, _base: string | undefined): void {
  if (!isMembers(value)) return
  const { resourceType, id } = value
  if (typeof resourceType !== 'string' || typeof id !== 'string') return
  const place = parseReference(`${resourceType}/${id}`)
  if (place !== undefined) found.push({ kind: 'reference', ...place })
}

export function referenceExtension(value: unknown, found: Found, base: string | undefined): void {
  if (!isMembers(value)) return
  referencePlain(value.valueReference, found, base)
  referenceCanonical(value.valueCanonical ?? value.valueUri, found, base)
}

/**
 * `resolve() is T`, decided from the text of the reference, or from `Reference.type` where the text
 * names no type (`urn:uuid:…`, identifier only). Never resolves anything.
 */
export function leadsTo(value: unknown, type: string): boolean {
  if (!isMembers(value)) return false
  const { reference } = value
  if (typeof reference === 'string') {
    if (reference.startsWith(type) && reference[type.length] === '/') return true
    const named = referencedType(reference)
    if (named !== undefined) return named === type
  }
  return value.type === type
}
