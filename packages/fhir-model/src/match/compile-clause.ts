import { evaluatedParameters } from '../definitions/registry.ts'
import type { IndexValue, TokenIndexValue } from '../extract/index-value.ts'
import type { Clause, SearchValue } from '../query.ts'
import type { FhirResource } from '../resource.ts'
import { isCaseSensitiveToken } from './code-case.ts'
import { compileValue, type ValueTest } from './match-value.ts'

export type ResourceTest = (resource: FhirResource) => boolean

export interface MatchOptions {
  /** Our own base URL, without a final slash: absolute references below it count as relative. */
  readonly base?: string
}

const NEVER: ResourceTest = () => false

/**
 * The truth about one clause: whether a resource of `type` fits it, exactly as R4 says. SQL is only
 * a prefilter to this. False for resources of another type, for parameters that the type does not
 * have, and for a clause that holds no value. The function never throws, whatever the resource.
 *
 * Does not check that the clause is well formed: it comes from `parseSearch` or `parseScopeConstraint`.
 */
export function compileClause(type: string, clause: Clause, options?: MatchOptions): ResourceTest {
  const evaluated = evaluatedParameters(type).get(clause.param)
  if (evaluated === undefined || evaluated.parameter.type !== clause.type) return NEVER
  if (clause.values.length === 0) return NEVER
  const { extractor } = evaluated
  const base = options?.base

  if (clause.modifier === 'missing') {
    const [value] = clause.values
    if (value?.kind !== 'missing') return NEVER
    const { missing } = value
    return (resource) => {
      if (resource.resourceType !== type) return false
      const found: IndexValue[] = []
      extractor(resource, found, base)
      return (found.length === 0) === missing
    }
  }
  const test = compileAlternatives(clause, base)
  const negated = clause.modifier === 'not'
  return (resource) => {
    if (resource.resourceType !== type) return false
    const found: IndexValue[] = []
    extractor(resource, found, base)
    for (let i = 0; i < found.length; i++) {
      if (test(found[i]!)) return !negated
    }
    return negated
  }
}

/** Above this many codes a lookup beats asking one by one. */
const FEW = 4

function compileAlternatives(clause: Clause, base: string | undefined): ValueTest {
  const { values } = clause
  if (values.length > FEW && values.every(isFullCode)) return compileCodeList(values, base)
  const tests = values.map((value) => compileValue(value, clause.modifier, base))
  if (tests.length === 1) return tests[0]!
  return (value) => {
    for (let i = 0; i < tests.length; i++) if (tests[i]!(value)) return true
    return false
  }
}

type FullCode = Extract<SearchValue, { kind: 'token' }> & { readonly code: string }

function isFullCode(value: SearchValue): value is FullCode {
  return value.kind === 'token' && value.code !== undefined
}

/** Many codes, as in `_id=…`: candidates by their text; codes without case by their lower case. */
function compileCodeList(values: readonly FullCode[], base: string | undefined): ValueTest {
  const exact = new Map<string, ValueTest[]>()
  const folded = new Map<string, ValueTest[]>()
  for (const value of values) {
    const test = compileValue(value, undefined, base)
    append(exact, value.code, test)
    append(folded, value.code.toLowerCase(), test)
  }
  return (value) => {
    if (value.kind !== 'token' || value.code === undefined) return false
    return candidates(value)?.some((test) => test(value)) ?? false
  }
  function candidates(value: TokenIndexValue): ValueTest[] | undefined {
    return isCaseSensitiveToken(value)
      ? exact.get(value.code!)
      : folded.get(value.code!.toLowerCase())
  }
}

function append(map: Map<string, ValueTest[]>, key: string, test: ValueTest): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, [test])
  else known.push(test)
}
