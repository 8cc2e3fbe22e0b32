import { structureOf } from '../definitions/structure.ts'
import { scanJson } from '../json/scan-json.ts'
import type { PathPart } from '../problem.ts'

/** A number with a point or an exponent that may be whole; strings that look like it do no harm. */
const WHOLE_DECIMAL = /[:[,]\s*-?\d+(?:\.0+(?!\d)|(?:\.\d+)?[eE][+-]?\d+)/
const DIGITS = /^-?\d+$/
const INTEGERS: ReadonlySet<string | undefined> = new Set(['integer', 'unsignedInt', 'positiveInt'])

/** A quick look, so that few texts are read again. */
export function mayHoldWholeDecimals(text: string): boolean {
  return WHOLE_DECIMAL.test(text)
}

/**
 * Tells where an integer belongs and a whole number stands that is written with a point or an
 * exponent; of numbers that are not whole nothing is said. `text` is what `resource` was read from;
 * `path` is good for the moment of the call.
 */
export function findWholeDecimals(
  resource: unknown,
  text: string,
  onFound: (path: readonly PathPart[]) => void,
): void {
  scanJson(text, Number.POSITIVE_INFINITY, (path, written) => {
    if (DIGITS.test(written) || !Number.isInteger(Number(written))) return
    if (INTEGERS.has(typeAt(resource, path))) onFound(path)
  })
}

/** The FHIR type of the element there; `undefined` where there is none. */
function typeAt(resource: unknown, path: readonly PathPart[]): string | undefined {
  let value = resource
  let type = typeOf(resource)
  for (const part of path) {
    value = (value as Record<PathPart, unknown>)[part]
    // An array has the type of its elements.
    if (typeof part === 'string') type = memberType(type, part)
    if (type === 'Resource' && !Array.isArray(value)) type = typeOf(value)
  }
  return type
}

function memberType(type: string | undefined, name: string): string | undefined {
  if (name.startsWith('_')) return 'Element'
  return type === undefined ? undefined : structureOf(type)?.slots.get(name)?.type
}

function typeOf(resource: unknown): string | undefined {
  const type = (resource as { resourceType?: unknown } | null)?.resourceType
  return typeof type === 'string' ? type : undefined
}
