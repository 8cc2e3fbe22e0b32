import type { IndexValue } from './index-value.ts'

/** What a converter appends to. */
export type Found = IndexValue[]
export type Members = Readonly<Record<string, unknown>>
const NOTHING: readonly never[] = Object.freeze([])

/** An array as it is; everything else as empty. */
// biome-ignore lint/suspicious/noExplicitAny: the generated code looks into it with `?.` only.
export function list(value: unknown): readonly any[] {
  return Array.isArray(value) ? value : NOTHING
}

/** The extensions of an element with this URL. */
export function extensions(element: unknown, url: string): readonly Members[] {
  const all = isMembers(element) ? list(element.extension) : NOTHING
  return all.length === 0 ? NOTHING : all.filter((one) => isMembers(one) && one.url === url)
}

/** A JSON object. */
export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A string that says something. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
