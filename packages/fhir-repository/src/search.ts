import { allowedFor, type SearchAnswer, type SearchQuery } from '@scopegate/fhir-model'
import { findIncludes } from './includes.ts'
import type { Request } from './request.ts'
import { resolveFilters } from './resolve-filters.ts'
import { type PreparedScan, positionOf, prepareScan, type SortedRow, scanMatches } from './scan.ts'
import { countStatement } from './search-statements.ts'
import { runShape } from './statement.ts'
import { toVersion } from './stored-row.ts'

/**
 * One page of what fits and is permitted under `s`: as many as asked for, fewer when they are large.
 * @throws {SearchRefused}
 */
export async function search(request: Request, query: SearchQuery): Promise<SearchAnswer> {
  const predicate = allowedFor(request.access, 's', query.type)
  const filters = await resolveFilters(request, query.type, query.filters)
  const countOnly = query.count === 0 || query.summary === 'count'
  const prepared = await prepareScan(
    request,
    query.type,
    filters,
    predicate,
    countOnly ? 'everything' : 'page',
  )
  if (countOnly) {
    return { matches: [], includes: [], total: await countMatches(request, prepared) }
  }

  const rows: SortedRow[] = []
  const mostCharacters = request.repository.limits.pageCharacters
  let characters = 0
  let more = false
  let turnedDown = false
  const found = scanMatches(request, prepared, {
    sort: query.sort,
    after: query.after,
    first: query.count + 1,
    onTurnedDown: () => {
      turnedDown = true
    },
  })
  for await (const { row } of found) {
    const isFull = rows.length > 0 && characters + row.body.length > mostCharacters
    if (rows.length === query.count || isFull) {
      more = true
      break
    }
    rows.push(row)
    characters += row.body.length
  }
  const includes = await findIncludes(request, query, rows)
  const total =
    query.total === 'none'
      ? undefined
      : !more && query.after === undefined
        ? rows.length
        : await countMatches(request, prepared, turnedDown)
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
  prepared: PreparedScan,
  distrusted = false,
): Promise<number> {
  const { type, prefilter, driver } = prepared
  if (prefilter.condition.kind === 'nothing') return 0
  if (prefilter.exact && !distrusted) {
    const statement = countStatement(type, prefilter.condition, driver)
    const [row] = await runShape<{ total: number }>(request.on, statement)
    return row!.total
  }
  let total = 0
  for await (const _ of scanMatches(request, prepared)) total += 1
  return total
}
