import { isResourceType } from '../definitions/resource-types.ts'
import type { SearchParameter } from '../definitions/search-parameter.ts'
import type { Clause, Modifier, SearchParamType, SearchValue } from '../query.ts'
import { splitUnescaped } from './escapes.ts'
import type { ParseState } from './parse-state.ts'
import { parseValue } from './parse-value.ts'
import { anyOfThese, type Fault, invalid, isFault, quoted } from './search-problem.ts'

const MODIFIERS: Readonly<Record<SearchParamType, readonly Modifier[]>> = {
  token: ['missing', 'not', 'of-type'],
  reference: ['missing', 'identifier'],
  string: ['missing', 'exact', 'contains'],
  uri: ['missing', 'below', 'above'],
  date: ['missing'],
  number: ['missing'],
  quantity: ['missing'],
  composite: [],
  special: [],
}

/** The fault of `subject:Word` where Word is no type that the parameter refers to. */
export function wrongNamedType(parameter: SearchParameter, named: string): Fault {
  return isResourceType(named)
    ? invalid(
        `\`${parameter.code}\` never refers to ${quoted(named)}`,
        `name ${anyOfThese(parameter.targets)}`,
      )
    : unknownModifier(parameter, named)
}

function unknownModifier(parameter: SearchParameter, modifier: string): Fault {
  const allowed = MODIFIERS[parameter.type].map((name) => `:${name}`)
  if (parameter.type === 'reference') allowed.push(':[type]')
  return {
    kind: 'invalid',
    why: `the modifier ${quoted(`:${modifier}`)} is not supported on the ${parameter.type} parameter \`${parameter.code}\``,
    fix: allowed.length === 0 ? 'leave the modifier out' : `use ${anyOfThese(allowed)}, or none`,
  }
}

/**
 * Reads `param[:modifier]=alternatives`; `suffix` is the modifier with its colon, or empty.
 * `undefined` when every alternative is empty.
 */
export function parseClause(
  parameter: SearchParameter,
  suffix: string,
  text: string,
  state: ParseState,
): Clause | Fault | undefined {
  const word = suffix === '' ? undefined : readModifier(parameter, suffix.slice(1))
  if (word !== undefined && isFault(word)) return word
  const { modifier, namedType } = word ?? {}

  const values: SearchValue[] = []
  for (const alternative of splitUnescaped(text, ',')) {
    if (alternative === '') continue
    state.valuesLeft -= 1
    const value =
      overLimit(alternative, state) ??
      parseValue(parameter, modifier, namedType, alternative, state)
    if (isFault(value)) return value
    values.push(value)
  }
  if (values.length === 0) return undefined
  if (modifier === 'missing' && values.length > 1) {
    return invalid('`:missing` takes one value', 'write `true` or `false`')
  }
  const clause = { kind: 'clause' as const, param: parameter.code, type: parameter.type, values }
  return modifier === undefined ? clause : { ...clause, modifier }
}

function readModifier(
  parameter: SearchParameter,
  word: string,
): { readonly modifier?: Modifier; readonly namedType?: string } | Fault {
  const modifier = MODIFIERS[parameter.type].find((name) => name === word)
  if (modifier === 'of-type' && !parameter.elementTypes.includes('Identifier')) {
    return invalid(
      `\`:of-type\` looks at identifiers, and \`${parameter.code}\` has none`,
      'leave the modifier out',
    )
  }
  if (modifier !== undefined) return { modifier }
  if (parameter.type !== 'reference') return unknownModifier(parameter, word)
  return parameter.targets.includes(word) ? { namedType: word } : wrongNamedType(parameter, word)
}

function overLimit(alternative: string, { limits, valuesLeft }: ParseState): Fault | undefined {
  if (valuesLeft < 0) {
    return invalid(
      `the search has more than ${limits.values} alternatives`,
      'search in several steps',
    )
  }
  return alternative.length > limits.alternativeLength
    ? invalid(`a value is longer than ${limits.alternativeLength} characters`, 'shorten it')
    : undefined
}
