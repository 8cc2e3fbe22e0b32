import { parseReference, referencedType } from '../extract/parse-reference.ts'
import type { FhirResource } from '../resource.ts'

/** Appends the Reference elements that a parameter looks at, as the JSON holds them. */
export type MentionFinder = (resource: FhirResource, found: unknown[]) => void

/** Called by the generated finders. */
export function mention(value: unknown, found: unknown[]): void {
  if (value !== undefined && value !== null) found.push(value)
}

/** What one Reference says about the patient it may name. */
export type Mention =
  /** A Patient of this server. */
  | { readonly kind: 'patient'; readonly id: string }
  /** Surely no Patient: it names another type of this server. */
  | { readonly kind: 'other-type' }
  /** A Patient, but none of this server. */
  | { readonly kind: 'foreign-patient'; readonly key: string }
  /** Foreign, contained, `urn:`, identifier or display only: it may be any patient. */
  | { readonly kind: 'unclear'; readonly key: string }
  /** Empty (or extensions only): nobody is named. */
  | { readonly kind: 'nobody' }

const OTHER_TYPE: Mention = { kind: 'other-type' }
const NOBODY: Mention = { kind: 'nobody' }

/** Reads one Reference element by its text alone; nothing is resolved. */
export function readMention(element: unknown, base: string | undefined): Mention {
  if (typeof element !== 'object' || element === null || Array.isArray(element))
    return { kind: 'unclear', key: JSON.stringify(element) }
  const { reference, identifier, display, type } = element as Readonly<Record<string, unknown>>
  if (reference === undefined && identifier === undefined && display === undefined)
    return type === 'Patient' ? { kind: 'foreign-patient', key: 'Patient' } : NOBODY
  if (typeof reference === 'string') {
    const place = parseReference(reference, base)
    if (place?.id !== undefined)
      return place.type === 'Patient' ? { kind: 'patient', id: place.id } : OTHER_TYPE
    const named = referencedType(reference)
    if (named === 'Patient' || (named === undefined && type === 'Patient'))
      return { kind: 'foreign-patient', key: reference }
    return { kind: 'unclear', key: reference }
  }
  const key = JSON.stringify([reference, identifier, display])
  return type === 'Patient' ? { kind: 'foreign-patient', key } : { kind: 'unclear', key }
}
