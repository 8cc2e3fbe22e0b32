import type { ScopeParam } from '../scope.ts'
import { categoryKey } from './scope-categories.ts'
import type { ScopeWords } from './scope-words.ts'
import { fill, joinWords, lookUp, showText } from './show-text.ts'

const MAX_VALUES = 10

/**
 * The parameters of a constraint in words, all of them and with all their alternatives: a category
 * that has a name by its name, everything else as it is written. Of more than ten alternatives the
 * rest is counted.
 */
export function describeConstraint(
  type: string,
  params: readonly ScopeParam[],
  words: ScopeWords,
): string {
  return joinWords(
    params.map(({ name, values }) => {
      const known = [...new Set(values)].map((value) => describeValue(type, name, value, words))
      const shown =
        known.length <= MAX_VALUES
          ? known
          : [
              ...known.slice(0, MAX_VALUES),
              fill(words.more, { count: String(known.length - MAX_VALUES) }),
            ]
      return `${lookUp(words.params, name) ?? showText(name)}: ${joinWords(shown, words.or)}`
    }),
    words.and,
  )
}

/**
 * The keys of the categories that the constraint comes down to; `undefined` where any of it says
 * something else.
 */
export function namedCategories(
  type: string,
  params: readonly ScopeParam[],
): readonly string[] | undefined {
  const [only] = params
  if (only === undefined || params.length > 1 || only.name !== 'category') return undefined
  const keys = only.values.map((value) => keyOf(type, value))
  return keys.every((key) => key !== undefined) ? [...new Set(keys)] : undefined
}

function describeValue(type: string, name: string, value: string, words: ScopeWords): string {
  const key = name === 'category' ? keyOf(type, value) : undefined
  if (key !== undefined) return words.categories[key]!
  const { system, code } = tokenOf(value)
  if (system === undefined) return showText(code)
  if (system === '') return fill(words.withoutSystem, { code: showText(code) })
  if (code === '') return fill(words.anyOfSystem, { system: showText(system) })
  return fill(words.codeOfSystem, { code: showText(code), system: showText(system) })
}

function keyOf(type: string, value: string): string | undefined {
  const { system, code } = tokenOf(value)
  return categoryKey(type, system, code)
}

/** `system|code` at the first bar that is not escaped; the escapes resolved. */
function tokenOf(value: string): { readonly system?: string; readonly code: string } {
  const bar = /^(?:[^\\|]|\\[\s\S])*?\|/.exec(value)?.[0].length
  const plain = (text: string) => text.replace(/\\([,$|\\])/g, '$1')
  return bar === undefined
    ? { code: plain(value) }
    : { system: plain(value.slice(0, bar - 1)), code: plain(value.slice(bar)) }
}
