import {
  allowedFor,
  type Chain,
  type Clause,
  compileClause,
  extract,
  type FhirResource,
  type Filter,
  type Has,
  type Predicate,
  SearchRefused,
} from '@scopegate/fhir-model'
import { matchOptions, type Request } from './request.ts'
import { type PreparedScan, prepareScan, scanMatches } from './scan.ts'

/** A search without joins: chains and `_has` have become the ids they found. */
export interface ResolvedFilter {
  readonly predicate: Predicate
  readonly test: (resource: FhirResource) => boolean
}

/**
 * Turns every filter into a predicate on `type`. What a chain or `_has` finds is found under `s`
 * on the inner type: hidden resources join nothing.
 *
 * @throws {SearchRefused} when an inner search finds more than the cap.
 */
export async function resolveFilters(
  request: Request,
  type: string,
  filters: readonly Filter[],
): Promise<readonly ResolvedFilter[]> {
  const resolved: ResolvedFilter[] = []
  for (const filter of filters) {
    const predicate = await resolveFilter(request, type, filter)
    resolved.push({ predicate, test: testOf(request, type, predicate) })
  }
  return resolved
}

function testOf(
  request: Request,
  type: string,
  predicate: Predicate,
): (resource: FhirResource) => boolean {
  switch (predicate.kind) {
    case 'none':
      return () => false
    case 'clause':
      return compileClause(type, predicate, matchOptions(request.repository))
    case 'id': {
      const ids = new Set(predicate.ids)
      return (resource) => resource.id !== undefined && ids.has(resource.id)
    }
    default:
      throw new TypeError(`a filter never becomes a predicate of kind ${predicate.kind}`)
  }
}

async function resolveFilter(request: Request, type: string, filter: Filter): Promise<Predicate> {
  switch (filter.kind) {
    case 'clause':
      return filter
    case 'chain':
      return resolveChain(request, filter)
    case 'has':
      return resolveHas(request, type, filter)
    default:
      throw new TypeError(`unknown filter ${(filter as Filter).kind}`)
  }
}

/** `subject:Patient.name=x` → `subject=Patient/1,Patient/2`. */
async function resolveChain(request: Request, chain: Chain): Promise<Predicate> {
  const values: { kind: 'reference'; type: string; id: string }[] = []
  for (const { type, filter } of chain.targets) {
    const found = scanMatches(request, await prepareInner(request, type, filter))
    for await (const { row } of found) {
      values.push({ kind: 'reference', type, id: row.id })
      if (values.length > request.repository.limits.joined) throw tooMany(request, chain.param)
    }
  }
  if (values.length === 0) return { kind: 'none' }
  return { kind: 'clause', param: chain.param, type: 'reference', values } satisfies Clause
}

/** `_has:Observation:patient:code=x` → the ids that those Observations refer to. */
async function resolveHas(request: Request, type: string, has: Has): Promise<Predicate> {
  const ids = new Set<string>()
  let found = 0
  const options = matchOptions(request.repository)
  const inner = scanMatches(request, await prepareInner(request, has.type, has.filter))
  for await (const { content } of inner) {
    for (const value of extract(has.type, has.param, content(), options)) {
      if (value.kind === 'reference' && value.type === type && value.id !== undefined) {
        ids.add(value.id)
      }
    }
    const { joined, looked } = request.repository.limits
    if (ids.size > joined || ++found > looked) throw tooMany(request, `_has:${has.type}`)
  }
  return ids.size === 0 ? { kind: 'none' } : { kind: 'id', ids: [...ids] }
}

async function prepareInner(request: Request, type: string, filter: Filter): Promise<PreparedScan> {
  const filters = await resolveFilters(request, type, [filter])
  return prepareScan(request, type, filters, allowedFor(request.access, 's', type), 'everything')
}

function tooMany(request: Request, param: string): SearchRefused {
  return new SearchRefused(
    'too-costly',
    `\`${param}\` leads to more than ${request.repository.limits.joined} resources`,
    'narrow the inner part of the search, or search in two steps',
  )
}
