import { isResourceType } from '../definitions/resource-types.ts'
import type { SearchParameter } from '../definitions/search-parameter.ts'
import { searchParameter, searchParameters } from '../definitions/search-parameters.ts'
import type { ChainTarget, Filter } from '../query.ts'
import { nearestName } from './nearest-name.ts'
import { parseClause, wrongNamedType } from './parse-clause.ts'
import type { ParseState } from './parse-state.ts'
import { anyOfThese, type Fault, invalid, isFault, quoted } from './search-problem.ts'

/** Parameters of FHIR search that are refused whatever their value: they cannot be judged exactly. */
export const UNSUPPORTED_PARAMETERS: ReadonlySet<string> = new Set(
  (
    '_contained _containedType _text _content _filter _query _list _in _type _score ' +
    '_getpages _getpagesoffset _page _pageId _offset _skip ct'
  ).split(' '),
)

/** The name without modifier and chain: `subject:Patient.name` → `subject`. */
export function baseName(name: string): string {
  const end = name.search(/[:.]/)
  return end < 0 ? name : name.slice(0, end)
}

/**
 * Reads `name=value` as a filter on `type`: a clause, a chain or a `_has`. `undefined` when the
 * value holds nothing but empty alternatives, which FHIR ignores. Recursion is bounded by
 * `limits.chainLinks`, its breadth by `limits.chainTargets`.
 */
export function parseFilter(
  type: string,
  name: string,
  value: string,
  state: ParseState,
  links = 0,
): Filter | Fault | undefined {
  if (links > state.limits.chainLinks) {
    return invalid(
      `the chain has more than ${state.limits.chainLinks} links`,
      'search in several steps',
    )
  }
  const base = baseName(name)
  if (base === '_has') return parseHas(type, name, value, state, links)
  if (UNSUPPORTED_PARAMETERS.has(base)) return notSupported(base)
  const parameter = searchParameter(type, base)
  if (parameter === undefined) return unknownParameter(type, base, state)
  if (parameter.type === 'special') return notSupported(base)

  const dot = name.indexOf('.')
  if (dot >= 0) {
    return parseChain(
      parameter,
      name.slice(base.length, dot),
      name.slice(dot + 1),
      value,
      state,
      links,
    )
  }
  return parseClause(parameter, name.slice(base.length), value, state)
}

function notSupported(base: string): Fault {
  return {
    kind: 'not-supported',
    why: `this server does not support ${quoted(base)}`,
    fix: 'leave it out, or search by other parameters',
  }
}

function unknownParameter(type: string, name: string, state: ParseState): Fault {
  state.suggestionsLeft -= 1
  const known = state.suggestionsLeft < 0 ? [] : searchParameters(type)
  const near = nearestName(
    name,
    known.map((parameter) => parameter.code),
  )
  return {
    kind: 'unknown-parameter',
    why: `${type} has no search parameter ${quoted(name)}`,
    fix:
      near === undefined ? 'see the capability statement at /metadata' : `did you mean \`${near}\``,
  }
}

function parseHas(
  type: string,
  name: string,
  value: string,
  state: ParseState,
  links: number,
): Filter | Fault | undefined {
  const [, source, param, ...rest] = name.split(':')
  const next = rest.join(':')
  if (!source || !param || next === '') {
    return invalid(
      `${quoted(name)} is incomplete`,
      'write `_has:Type:reference:parameter=value`, as in `_has:Observation:patient:code=1234-5`',
    )
  }
  if (!isResourceType(source)) {
    return invalid(
      `${quoted(source)} is not a resource type`,
      'name the type that refers to this one',
    )
  }
  const parameter = searchParameter(source, param)
  if (parameter?.type !== 'reference') {
    return invalid(
      `${source} has no reference parameter ${quoted(param)}`,
      `name the parameter of ${source} that refers to ${type}`,
    )
  }
  if (!parameter.targets.includes(type)) {
    return invalid(
      `${source}.${param} never refers to ${type}`,
      `it refers to ${anyOfThese(parameter.targets)}`,
    )
  }
  const filter = parseFilter(source, next, value, state, links + 1)
  if (filter === undefined) return undefined
  if (isFault(filter)) return insideJoin(filter, links)
  return { kind: 'has', type: source, param, filter }
}

function parseChain(
  parameter: SearchParameter,
  suffix: string,
  rest: string,
  value: string,
  state: ParseState,
  links: number,
): Filter | Fault | undefined {
  if (parameter.type !== 'reference') {
    const why = `\`${parameter.code}\` is a ${parameter.type} parameter, and only references can be followed`
    const fix = 'chain through a reference, as in `subject:Patient.name`'
    return { kind: links === 0 ? 'invalid' : 'unknown-parameter', why, fix }
  }
  if (rest === '') {
    return invalid(
      'the chain has no parameter after the last dot',
      'write `reference.parameter=value`',
    )
  }
  const named = suffix === '' ? undefined : suffix.slice(1)
  if (named !== undefined && !parameter.targets.includes(named))
    return wrongNamedType(parameter, named)
  if (named === undefined) {
    state.chainTargetsLeft -= parameter.targets.length
    if (state.chainTargetsLeft < 0) {
      return invalid(
        `\`${parameter.code}\` may refer to too many types to follow them all`,
        `name one, as in \`${parameter.code}:${parameter.targets[0]}.${quoted(rest).slice(1)}`,
      )
    }
  }
  const targets: ChainTarget[] = []
  let firstFault: Fault | undefined
  const valuesLeft = state.valuesLeft
  for (const type of named === undefined ? parameter.targets : [named]) {
    // The alternatives are the client's once, however many types they are tried on.
    state.valuesLeft = valuesLeft
    const filter = parseFilter(type, rest, value, state, links + 1)
    if (filter === undefined) return undefined
    if (!isFault(filter)) targets.push({ type, filter })
    else if (filter.kind === 'unknown-parameter') firstFault ??= filter
    else return filter
  }
  if (targets.length === 0) {
    const fault = invalid(`\`${parameter.code}\` has no target types`, 'leave it out')
    return insideJoin(firstFault ?? fault, links)
  }
  return { kind: 'chain', param: parameter.code, targets, typed: named !== undefined }
}

/**
 * Behind a join nothing is ignored: the client meant to narrow, and would get everything. Within
 * the join the kind is kept, since an outer link may drop the types that lack the parameter.
 */
function insideJoin(fault: Fault, links: number): Fault {
  return fault.kind === 'unknown-parameter' && links === 0 ? { ...fault, kind: 'invalid' } : fault
}
