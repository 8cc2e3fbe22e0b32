import { RESOURCE_TYPES } from '../definitions/resource-types.ts'
import type { SearchParameter } from '../definitions/search-parameter.ts'
import { searchParameter, searchParameters } from '../definitions/search-parameters.ts'
import type { Filter, Include, SearchQuery } from '../query.ts'

/** A type that a search looks into besides the one it returns. */
export interface JoinedType {
  readonly type: string
  /** Following a link is searching the type at its other end. */
  readonly letter: 's'
  /** Whether the client named the type. Other links are narrowed to the types that are granted. */
  readonly explicit: boolean
  /** The link as a client writes it: `subject:Patient`, `_has:Observation:patient`. */
  readonly via: string
}

/** Every type that the chains and `_has` of a search look into, outermost first. Includes are not among them. */
export function joinedTypes(query: Pick<SearchQuery, 'filters'>): readonly JoinedType[] {
  return query.filters.flatMap(joinsOf)
}

function joinsOf(filter: Filter): JoinedType[] {
  switch (filter.kind) {
    case 'clause':
      return []
    case 'has':
      return [
        {
          type: filter.type,
          letter: 's',
          explicit: true,
          via: `_has:${filter.type}:${filter.param}`,
        },
        ...joinsOf(filter.filter),
      ]
    case 'chain':
      return filter.targets.flatMap((target) => [
        {
          type: target.type,
          letter: 's' as const,
          explicit: filter.typed,
          via: filter.typed ? `${filter.param}:${target.type}` : filter.param,
        },
        ...joinsOf(target.filter),
      ])
  }
}

/**
 * - `search`: the type is looked into by a chain, a `_has` or a reverse include (`s`).
 * - `include`: instances of the type are fetched because something refers to them (`r` or `s`).
 */
export type JoinNeed = 'search' | 'include'

export type RestrictedTargets =
  | {
      readonly ok: true
      readonly query: SearchQuery
      /** Includes that were left out because no type they lead to is granted, as the client wrote them. */
      readonly droppedIncludes: readonly (readonly [name: string, value: string])[]
    }
  /** A link that leads to no granted type. */
  | { readonly ok: false; readonly via: string; readonly types: readonly string[] }

/**
 * Narrows the joins of a search to the types that `isGranted` allows. An untyped chain keeps the
 * granted ones of its target types; a link whose types are all refused refuses the search, and an
 * include is dropped (and leaves `used`). Which instances of a granted type are visible is the
 * backend's concern; an include that may still lead to refused types must be filtered there.
 */
export function restrictTargets(
  query: SearchQuery,
  isGranted: (type: string, need: JoinNeed) => boolean,
): RestrictedTargets {
  const filters: Filter[] = []
  for (const filter of query.filters) {
    const restricted = restrictFilter(filter, isGranted)
    if ('types' in restricted) return { ok: false, ...restricted }
    filters.push(restricted.filter)
  }
  const includes = query.includes.map((include) =>
    includedTypes(include).some((type) => isGranted(type, 'include')),
  )
  const revincludes = query.revincludes.map(
    ({ source }) => source === '*' || isGranted(source, 'search'),
  )
  // Each such parameter in `used` made exactly one include, in this order.
  const [nextInclude, nextRevinclude] = [includes.values(), revincludes.values()]
  const leads = ([name]: readonly [string, string]): boolean =>
    /^_include(:|$)/.test(name)
      ? nextInclude.next().value !== false
      : !/^_revinclude(:|$)/.test(name) || nextRevinclude.next().value !== false
  const [used, droppedIncludes] = partition(query.used, leads)
  return {
    ok: true,
    query: {
      ...query,
      filters,
      used,
      includes: query.includes.filter((_, i) => includes[i]),
      revincludes: query.revincludes.filter((_, i) => revincludes[i]),
    },
    droppedIncludes,
  }
}

function partition<T>(all: readonly T[], test: (one: T) => boolean): [T[], T[]] {
  const sides: [T[], T[]] = [[], []]
  for (const one of all) sides[test(one) ? 0 : 1].push(one)
  return sides
}

type RestrictedFilter =
  | { readonly filter: Filter }
  | { readonly via: string; readonly types: readonly string[] }

function restrictFilter(
  filter: Filter,
  isGranted: (type: string, need: JoinNeed) => boolean,
): RestrictedFilter {
  if (filter.kind === 'clause') return { filter }
  if (filter.kind === 'has') {
    if (!isGranted(filter.type, 'search')) {
      return { via: `_has:${filter.type}:${filter.param}`, types: [filter.type] }
    }
    const inner = restrictFilter(filter.filter, isGranted)
    return 'types' in inner ? inner : { filter: { ...filter, filter: inner.filter } }
  }
  const targets = []
  let refused: RestrictedFilter = {
    via: filter.typed ? `${filter.param}:${filter.targets[0]?.type}` : filter.param,
    types: filter.targets.map((target) => target.type),
  }
  for (const target of filter.targets) {
    if (!isGranted(target.type, 'search')) continue
    const inner = restrictFilter(target.filter, isGranted)
    if ('types' in inner) refused = inner
    else targets.push({ type: target.type, filter: inner.filter })
  }
  return targets.length === 0 ? refused : { filter: { ...filter, targets } }
}

/** The types that an include can fetch. */
function includedTypes(include: Include): readonly string[] {
  if (include.target !== undefined) return [include.target]
  if (include.source === '*') return RESOURCE_TYPES
  if (include.param !== '*') return targetsOf(searchParameter(include.source, include.param))
  return searchParameters(include.source).flatMap(targetsOf)
}

/** A reference for which HL7 names no target type may lead to any. */
function targetsOf(parameter: SearchParameter | undefined): readonly string[] {
  if (parameter?.type !== 'reference') return []
  return parameter.targets.length === 0 ? RESOURCE_TYPES : parameter.targets
}
