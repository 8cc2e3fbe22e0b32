import { branchesFor, type Compiled, compileExtractor, type Item } from './compile-extractor.ts'
import { compare, type Definitions, type Json } from './definitions.ts'
import { generatedHeader } from './generated-file.ts'
import type { TypeModel } from './type-model.ts'

const URL_BASE = 'http://hl7.org/fhir/SearchParameter/'
/** Evaluated elsewhere or nowhere: no expression, or only an illustration. */
const isIllustration = (url: string): boolean => /\/example(-|$)/.test(url)

/** HL7 gives the components of these with their definitions exchanged. */
const EXCHANGED: ReadonlySet<string> = new Set([`${URL_BASE}DocumentReference-relationship`])

interface Use {
  readonly code: string
  readonly type: string
  readonly url: string
  readonly targets: string
  readonly elementTypes: string
  readonly components: string
  readonly body: string
}

/** Compiles every (resource type × parameter) pair and writes the registry and the extractors. */
export function generateSearchParameters(
  definitions: Definitions,
  model: TypeModel,
  impliedSystem: (valueSet: string) => string | undefined,
): { readonly registry: string; readonly extractors: string } {
  const all: Json[] = (definitions.examples.get('SearchParameter') ?? []).filter(
    (sp: Json) => sp.expression !== undefined && !isIllustration(sp.url),
  )
  const byUrl = new Map<string, Json>(all.map((sp) => [sp.url, sp]))
  const uses = new Map<string, Use[]>(model.resourceTypes.map((type) => [type, []]))

  for (const sp of all) {
    const bases = (sp.base as string[]).flatMap((base) =>
      base === 'Resource' || base === 'DomainResource' ? model.resourceTypes : [base],
    )
    for (const base of bases) {
      const list = uses.get(base)
      if (list === undefined) throw new Error(`${sp.url}: unknown base ${base}`)
      if (list.some(({ code }) => code === sp.code))
        throw new Error(`${base}: ${sp.code} is defined twice`)
      list.push(compileUse(sp, base))
    }
  }

  function compileUse(sp: Json, base: string): Use {
    const expression = branchesFor(sp.expression, base)
    if (expression === '') throw new Error(`${sp.url} says nothing about ${base}`)
    const row = { code: sp.code, type: sp.type, url: sp.url.slice(URL_BASE.length) }
    if (sp.type === 'special')
      return { ...row, targets: '', elementTypes: '', components: '', body: '' }
    if (sp.type === 'composite') {
      const { body, components } = compileComposite(sp, base, expression)
      return { ...row, targets: '', elementTypes: '', components, body }
    }
    const compiled = compileExtractor(expression, base, sp.type, model, impliedSystem)
    return {
      ...row,
      targets: sp.type === 'reference' ? targetsOf(sp, compiled) : '',
      elementTypes: compiled.elementTypes.join(),
      components: '',
      body: compiled.code,
    }
  }

  /** What the element allows, and the parameter too where it says something. */
  function targetsOf(sp: Json, compiled: Compiled): string {
    const declared: string[] = sp.target ?? []
    if (compiled.targets === undefined) return declared.includes('Resource') ? '' : declared.join()
    const both = compiled.targets.filter(
      (type) => declared.length === 0 || declared.includes('Resource') || declared.includes(type),
    )
    return (both.length > 0 ? both : compiled.targets).join()
  }

  function compileComposite(sp: Json, base: string, expression: string) {
    const components = new Map<
      number,
      { code: string; type: string; targets: Set<string>; types: Set<string> }
    >()
    const terminal = (focus: Item): string => {
      const parts = (sp.component as Json[]).map((component, index, all) => {
        const { definition } = EXCHANGED.has(sp.url) ? all[all.length - 1 - index] : component
        const part = byUrl.get(definition)
        if (part === undefined) throw new Error(`${sp.url}: no ${definition}`)
        const into = `p${index}`
        const compiled = compileExtractor(
          component.expression,
          base,
          part.type,
          model,
          impliedSystem,
          focus,
          into,
        )
        const known = components.get(index) ?? {
          code: part.code,
          type: part.type,
          targets: new Set(),
          types: new Set(),
        }
        components.set(index, known)
        for (const type of compiled.elementTypes) known.types.add(type)
        if (part.type === 'reference')
          for (const target of targetsOf(part, compiled).split(',')) known.targets.add(target)
        return { into, code: compiled.code }
      })
      const names = parts.map(({ into }) => into)
      return `{const ${names.map((name) => `${name}=[]`).join()};${parts.map(({ code }) => code).join('')}composite(o,[${names.join()}]);}`
    }
    const { code } = compileExtractor(
      expression,
      base,
      'composite',
      model,
      impliedSystem,
      undefined,
      'o',
      terminal,
    )
    const rows = [...components.entries()]
      .sort(([a], [b]) => a - b)
      .map(([, { code, type, targets, types }]) => [
        code,
        type,
        [...targets].join(),
        [...types].sort().join(),
      ])
    return { body: code, components: JSON.stringify(rows) }
  }

  for (const list of uses.values()) list.sort((a, b) => compare(a.code, b.code))
  return { registry: formatRegistry(uses), extractors: formatExtractors(uses) }
}

/** Numbers texts by first appearance. */
function numbering(): { readonly texts: string[]; readonly of: (text: string) => number } {
  const numbers = new Map<string, number>()
  const texts: string[] = []
  return {
    texts,
    of(text) {
      const known = numbers.get(text)
      if (known !== undefined) return known
      numbers.set(text, texts.length)
      return texts.push(text) - 1
    },
  }
}

function formatRegistry(uses: ReadonlyMap<string, readonly Use[]>): string {
  const definitions = numbering()
  const targets = numbering()
  const elementTypes = numbering()
  const components = numbering()
  const bodies = numbering()
  const rows = [...uses].map(([base, list]) => {
    const cells = list.map((use) =>
      [
        definitions.of(`${use.code} ${use.type} ${use.url}`),
        bodies.of(use.body),
        targets.of(use.targets),
        elementTypes.of(use.elementTypes),
        components.of(use.components),
      ].join(' '),
    )
    return `${base}:${cells.join()}`
  })
  const lines = (texts: readonly string[]): string => `\`${texts.join('\n')}\`.split('\\n')`
  return `${generatedHeader}
/** \`code type url-tail\` of each definition. */
export const DEFINITIONS: readonly string[] = ${lines(definitions.texts)}
/** Reference targets, comma separated; '' means any. */
export const TARGETS: readonly string[] = ${lines(targets.texts)}
export const ELEMENT_TYPES: readonly string[] = ${lines(elementTypes.texts)}
/** Composite components as JSON rows \`[code, type, targets, elementTypes]\`. */
export const COMPONENTS: readonly string[] = ${lines(components.texts)}
/** \`Type:definition extractor targets elementTypes components,…\` */
export const USES: readonly string[] = ${lines(rows)}
`
}

function formatExtractors(uses: ReadonlyMap<string, readonly Use[]>): string {
  const bodies = numbering()
  for (const list of uses.values()) for (const { body } of list) bodies.of(body)
  const called = new Set(bodies.texts.join('').match(/\b[a-z][A-Za-z]+(?=\()/g) ?? [])
  for (const keyword of ['if', 'for']) called.delete(keyword)
  const functions = bodies.texts.map((body) => `(r,o,b)=>{${body}}`)
  return `${generatedHeader}
// @ts-nocheck
import type { Extractor } from '../extract/extractor.ts'
import {${[...called].sort().join()}} from '../extract/converters.ts'

/** By number, as search-parameters.ts gives it. \`r\` resource, \`o\` values found, \`b\` base URL. */
export const EXTRACTORS: readonly Extractor[] = [
${functions.join(',\n')}
]
`
}
