import type { Slot } from '../definitions/structure.ts'

type Members = Readonly<Record<string, unknown>>
const FEW = 8

/** What is wrong with a value under the required binding of its element, or `undefined`. */
export function bindingFault(value: unknown, { type, codes }: Slot): string | undefined {
  if (codes === undefined) return undefined
  if (typeof value === 'string') return codes.codes.has(value) ? undefined : allowed(codes.codes)
  if (typeof value !== 'object' || value === null) return undefined
  if (type === 'Coding')
    return keeps(value as Members, codes.codings) ? undefined : allowed(codes.codings)
  if (type !== 'CodeableConcept') return undefined
  const { coding } = value as Members
  // Text alone is left to profiles; what is coded must be coded right.
  if (!Array.isArray(coding)) return undefined
  return coding.some((one) => keeps(one, codes.codings)) ? undefined : allowed(codes.codings)
}

function keeps(coding: Members, codings: ReadonlySet<string>): boolean {
  return codings.has(`${coding?.system}|${coding?.code}`)
}

function allowed(codes: ReadonlySet<string>): string {
  const few = [...codes].slice(0, FEW).map((code) => `\`${code}\``)
  const more = codes.size > FEW ? ` … (${codes.size} in all)` : ''
  return `the code is not one of those required here: ${few.join(', ')}${more}`
}
