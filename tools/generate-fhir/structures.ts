import type { CodeSets } from './code-sets.ts'
import { generatedHeader } from './generated-file.ts'
import type { Element, TypeModel } from './type-model.ts'

/** Types that no resource holds. */
const ABSTRACT = new Set(['Resource', 'DomainResource'])
const SEPARATORS = /[\s|;`\\]|\$\{/

/**
 * Writes the elements of every type as one line of text, read at first use:
 * `name` `[x]`? cardinality (`?` 0..1, `!` 1..1, `*` 0..*, `+` 1..*) `^`? (in the summary) types
 * (`|` between, `>` before targets) `@n`? (required binding); elements are separated by `;`.
 */
export function generateStructures(model: TypeModel, codeSets: CodeSets): string {
  const sets: string[] = []
  const setNumber = (url: string): string => {
    const codes = codeSets.codes(url)
    if (codes === undefined) return ''
    const text = formatCodes(codes)
    const known = sets.indexOf(text)
    return `@${known >= 0 ? known : sets.push(text) - 1}`
  }
  const cell = (element: Element): string => {
    const sign = element.array ? (element.min > 0 ? '+' : '*') : element.min > 0 ? '!' : '?'
    const types = element.types.map(({ code, targets }) =>
      targets.length > 0 && code === 'Reference' ? `${code}>${targets.join()}` : code,
    )
    const binding =
      element.requiredValueSet === undefined ? '' : setNumber(element.requiredValueSet)
    return `${element.name}${element.choice ? '[x]' : ''}${sign}${element.summary ? '^' : ''}${types.join('|')}${binding}`
  }
  const lines = [...model.elements]
    .filter(([type, elements]) => !ABSTRACT.has(type) && elements.length > 0)
    .map(([type, elements]) => `${type}:${elements.map(cell).join(';')}`)
  return `${generatedHeader}
/** \`Type:element;element\`; see tools/generate-fhir/structures.ts for the cells. */
export const STRUCTURES: string = \`${lines.join('\n')}\`
/** By number: \`system|code|code;system|code\` of the value sets of required bindings (HL7's own codes). */
export const CODE_SETS: string = \`${sets.join('\n')}\`
`
}

function formatCodes(codes: readonly (readonly [string, string])[]): string {
  const bySystem = new Map<string, string[]>()
  for (const [system, code] of codes) {
    if (SEPARATORS.test(code) || SEPARATORS.test(system))
      throw new Error(`\`${system}|${code}\` holds a separator`)
    bySystem.set(system, [...(bySystem.get(system) ?? []), code])
  }
  return [...bySystem].map(([system, list]) => [system, ...list].join('|')).join(';')
}
