import { RESOURCE_TYPE_SET } from '../definitions/resource-types.ts'
import type { ReferenceIndexValue } from './index-value.ts'

const REST =
  /(?:^|\/)([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/([A-Za-z0-9\-.]{1,64}))?$/
const ABSOLUTE = /^[A-Za-z][A-Za-z0-9+.-]*:/

type Place = Pick<ReferenceIndexValue, 'type' | 'id' | 'url' | 'version'>

/**
 * Reads the text of `Reference.reference`. A relative one, or an absolute one below `base`, gives
 * `type` and `id`; any other absolute one gives `url`. `undefined` for `#contained`, for text that
 * is no reference, and for types that R4 does not know.
 *
 * @param base Our own base URL, without a final slash.
 * @see https://hl7.org/fhir/R4/references.html#literal
 */
export function parseReference(text: string, base?: string): Place | undefined {
  if (base !== undefined && text.length > base.length && text.startsWith(base)) {
    if (text[base.length] === '/') {
      const local = parseRelative(text.slice(base.length + 1))
      if (local !== undefined) return local
    }
  }
  return parseRelative(text) ?? (ABSOLUTE.test(text) ? parseAbsolute(text) : undefined)
}

function parseRelative(text: string): Place | undefined {
  const match = REST.exec(text)
  // Text before the type: an absolute URL, or a path that R4 does not allow.
  if (match === null || match.index > 0 || text[0] === '/') return undefined
  const [, type, id, version] = match
  if (!RESOURCE_TYPE_SET.has(type!)) return undefined
  return version === undefined ? { type: type!, id: id! } : { type: type!, id: id!, version }
}

function parseAbsolute(text: string): Place {
  const version = REST.exec(text)?.[3]
  if (version === undefined) return { url: text }
  return { url: text.slice(0, text.lastIndexOf('/_history/')), version }
}

/** The resource type that a relative or absolute RESTful reference names, by its text alone. */
export function referencedType(text: string): string | undefined {
  const type = REST.exec(text)?.[1]
  return type !== undefined && RESOURCE_TYPE_SET.has(type) ? type : undefined
}

/** Reads a canonical: `url|version#fragment`. */
export function parseCanonical(text: string, base?: string): Place | undefined {
  const hash = text.indexOf('#')
  const whole = hash < 0 ? text : text.slice(0, hash)
  if (whole === '') return undefined
  const bar = whole.indexOf('|')
  if (bar >= 0) {
    const version = whole.slice(bar + 1)
    const url = whole.slice(0, bar)
    return version === '' ? { url } : { url, version }
  }
  // Some elements of type uri or canonical hold a plain relative reference.
  return parseReference(whole, base) ?? { url: whole }
}
