import { searchParameter } from '../definitions/search-parameters.ts'
import type { Clause } from '../query.ts'
import { splitUnescaped } from './escapes.ts'
import { parseFilter } from './parse-filter.ts'
import { type ParseState, startParse } from './parse-state.ts'
import { SEARCH_LIMITS } from './search-limits.ts'
import { type Fault, invalid, isFault, quoted, type SearchProblem } from './search-problem.ts'

export type ParsedScopeConstraint =
  /** INVARIANT: at least one clause; all must hold. */
  | { readonly ok: true; readonly clauses: readonly [Clause, ...Clause[]] }
  | { readonly ok: false; readonly problem: SearchProblem }

export interface ScopeConstraintOptions {
  /** Our own base URL, without a final slash: references below it are local. */
  readonly baseUrl?: string
}

/**
 * US Core once published `http://terminology.hl7.org//CodeSystem-observation-category` in its table
 * of scopes, and it was copied. No code system has such a URL, so the meant one is taken.
 */
function realSystem(system: string): string {
  return system.replace(
    /^http:\/\/terminology\.hl7\.org\/{1,2}CodeSystem[-/](?=[A-Za-z])/,
    'http://terminology.hl7.org/CodeSystem/',
  )
}

/**
 * Reads what follows the `?` of a granular scope on `type`, percent-encoded or not: plain search
 * parameters, `&` between them first, then decoded exactly once. Everything that cannot be judged
 * exactly is a problem, and a problem voids the grant: nothing is ever left out. Refused are
 * unknown parameters, empty values, modifiers, chains, `_has`, string, composite and
 * special parameters, and the `ap` prefix, whose meaning changes with the clock.
 *
 * @see https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters
 */
export function parseScopeConstraint(
  type: string,
  text: string,
  options: ScopeConstraintOptions = {},
): ParsedScopeConstraint {
  const state = startParse(SEARCH_LIMITS, options.baseUrl, 0)
  if (text.length > SEARCH_LIMITS.valueLength) {
    return refuse('', '', invalid('the constraint is too long', 'grant several scopes'))
  }
  const clauses: Clause[] = []
  const pieces = text.split('&')
  if (pieces.length > SEARCH_LIMITS.parameters) {
    return refuse('', '', invalid('the constraint has too many parameters', 'grant several scopes'))
  }
  for (const piece of pieces) {
    const equals = piece.indexOf('=')
    const name = decodeOnce(equals < 0 ? piece : piece.slice(0, equals))
    const value = equals < 0 ? '' : decodeOnce(piece.slice(equals + 1))
    if (name === undefined || value === undefined) {
      return refuse(
        piece,
        '',
        invalid('it is not percent-encoded correctly', 'encode `%` as `%25`'),
      )
    }
    const clause = readClause(type, name, value, state)
    if (isFault(clause)) return refuse(name, value, clause)
    clauses.push(clause)
  }
  return { ok: true, clauses: clauses as [Clause, ...Clause[]] }
}

function refuse(param: string, value: string, fault: Fault): ParsedScopeConstraint {
  return {
    ok: false,
    problem: { ...fault, param: quoted(param).slice(1, -1), value: quoted(value).slice(1, -1) },
  }
}

function decodeOnce(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function readClause(type: string, name: string, value: string, state: ParseState): Clause | Fault {
  if (name === '') return invalid('the constraint is empty', 'write `parameter=value`')
  if (/[:.]/.test(name)) {
    return invalid(
      `${quoted(name)} uses a modifier or a chain, which scopes do not allow here`,
      'use a plain search parameter',
    )
  }
  const parameter = searchParameter(type, name)
  if (parameter?.type === 'string' || parameter?.type === 'composite') {
    return invalid(
      `\`${name}\` is a ${parameter.type} parameter, which scopes do not allow here`,
      'use a parameter of type token, reference, date, uri, number or quantity',
    )
  }
  if (splitUnescaped(value, ',').includes('')) {
    return invalid(`\`${name}\` has an empty value`, 'give every value, or grant without it')
  }
  const filter = parseFilter(type, name, value, state)
  if (filter === undefined) return invalid(`\`${name}\` has no value`, 'give a value')
  if (isFault(filter)) return filter
  if (filter.kind !== 'clause' || filter.modifier !== undefined) {
    return invalid(
      `${quoted(name)} is not a plain search parameter`,
      'use a plain search parameter',
    )
  }
  if (filter.values.some((one) => 'prefix' in one && one.prefix === 'ap')) {
    return invalid('`ap` means something else every day', 'state the range with `ge` and `lt`')
  }
  return withRealSystems(filter)
}

function withRealSystems(clause: Clause): Clause {
  return {
    ...clause,
    values: clause.values.map((value) =>
      value.kind === 'token' && value.system !== undefined
        ? { ...value, system: realSystem(value.system) }
        : value,
    ),
  }
}
