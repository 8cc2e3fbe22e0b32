import {
  allowedFor,
  type Predicate,
  type SearchAnswer,
  type SearchQuery,
} from '@scopegate/fhir-model'
import { chooseDriver } from './choose-driver.ts'
import { findIncludes } from './includes.ts'
import type { Request } from './request.ts'
import { type ResolvedFilter, resolveFilters } from './resolve-filters.ts'
import { positionOf, type SortedRow, scanMatches, searchPrefilter } from './scan.ts'
import { countStatement } from './search-statements.ts'
import { runShape } from './statement.ts'
import { toVersion } from './stored-row.ts'

/** One page of what fits and is permitted under `s`. @throws {SearchRefused} */
export async function search(request: Request, query: SearchQuery): Promise<SearchAnswer> {
  const predicate = allowedFor(request.access, 's', query.type)
  const filters = await resolveFilters(request, query.type, query.filters)
  const countOnly = query.count === 0 || query.summary === 'count'
  if (countOnly) {
    const total = await countMatches(request, query.type, filters, predicate)
    return { matches: [], includes: [], total }
  }

  const rows: SortedRow[] = []
  let more = false
  let turnedDown = false
  const found = scanMatches(request, query.type, filters, {
    predicate,
    sort: query.sort,
    after: query.after,
    first: query.count + 1,
    onTurnedDown: () => {
      turnedDown = true
    },
  })
  for await (const { row } of found) {
    if (rows.length === query.count) {
      more = true
      break
    }
    rows.push(row)
  }
  const includes = await findIncludes(request, query, rows)
  const total =
    query.total === 'none'
      ? undefined
      : !more && query.after === undefined
        ? rows.length
        : await countMatches(request, query.type, filters, predicate, turnedDown)
  return {
    matches: rows.map(toVersion),
    includes: includes.map(toVersion),
    ...(total === undefined ? {} : { total }),
    ...(more ? { next: positionOf(rows.at(-1)!, query.sort) } : {}),
  }
}

/**
 * The exact number under the Access. Counted by SQL where SQL says all there is to say and has not
 * been found wrong (`distrusted`), else by looking at every candidate.
 */
async function countMatches(
  request: Request,
  type: string,
  filters: readonly ResolvedFilter[],
  predicate: Predicate,
  distrusted = false,
): Promise<number> {
  const prefilter = searchPrefilter(request, type, filters, predicate)
  if (prefilter.condition.kind === 'nothing') return 0
  if (prefilter.exact && !distrusted) {
    const { condition } = prefilter
    const driver = await chooseDriver(request, type, condition)
    const statement = countStatement(type, condition, driver)
    const [row] = await runShape<{ total: number }>(request.on, statement)
    return row!.total
  }
  let total = 0
  for await (const _ of scanMatches(request, type, filters, { predicate })) total += 1
  return total
}
