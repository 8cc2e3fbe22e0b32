import {
  compilePredicate,
  type FhirResource,
  type Predicate,
  type SearchPosition,
  type SortKey,
} from '@scopegate/fhir-model'
import { chooseDriver, type Driver } from './choose-driver.ts'
import { type FoundRow, wholeRows } from './large-bodies.ts'
import { matchOptions, type Request } from './request.ts'
import type { ResolvedFilter } from './resolve-filters.ts'
import {
  isWalked,
  isWalkedByText,
  type PageOf,
  pageStatement,
  valuelessStart,
} from './search-statements.ts'
import { bothOf, type Prefilter } from './sql/ast.ts'
import { predicatePrefilter } from './sql/predicate.ts'
import { runShape } from './statement.ts'
import { contentOf, type StoredRow } from './stored-row.ts'

export interface Match {
  readonly row: SortedRow
  /** Parsed when first asked for. */
  readonly content: () => FhirResource
}
/** A row with its sort values as `s0`, `s1` … */
export type SortedRow = StoredRow & { readonly [sort: `s${number}`]: string | number | null }

export interface ScanOptions {
  readonly sort?: readonly SortKey[]
  readonly after?: SearchPosition | undefined
  /** Rows of the first read; later ones are larger. */
  readonly first?: number
  /** Called once for each row that SQL offered and the matcher turned down. */
  readonly onTurnedDown?: () => void
}

const MOST_AT_ONCE = 500

type Verdicts = readonly (FhirResource | undefined)[]

/** A search that is ready to run: what to ask of SQL, and how to judge what it offers. */
export interface PreparedScan {
  readonly type: string
  readonly filters: readonly ResolvedFilter[]
  readonly predicate: Predicate
  readonly prefilter: Prefilter
  readonly driver: Driver
}

/**
 * @param predicate What the Access permits.
 * @param reads Whether a page is wanted, or everything that fits.
 */
export async function prepareScan(
  request: Request,
  type: string,
  filters: readonly ResolvedFilter[],
  predicate: Predicate,
  reads: 'page' | 'everything',
): Promise<PreparedScan> {
  const { repository, access } = request
  const prefilter = bothOf(
    [predicate, ...filters.map((filter) => filter.predicate)].map((part) =>
      predicatePrefilter(type, part, access, repository.params, repository.base),
    ),
  )
  const driver = await chooseDriver(request, type, prefilter.condition, reads)
  return { type, filters, predicate, prefilter, driver }
}

/**
 * Every resource that fits, in order, each judged by the matcher before it is given out: SQL only
 * offers candidates. Reads on as long as the caller asks for more.
 */
export async function* scanMatches(
  request: Request,
  { type, filters, predicate, prefilter, driver }: PreparedScan,
  options: ScanOptions = {},
): AsyncIterable<Match> {
  const { repository, on, lookup } = request
  if (prefilter.condition.kind === 'nothing') return
  const matcher = compilePredicate(type, predicate, matchOptions(repository))
  const nothingToCheck = predicate.kind === 'all' && filters.length === 0
  const sort = options.sort ?? []

  /** The content of each row that fits, `undefined` in the place of one that does not. */
  const judge = (rows: readonly StoredRow[]): Verdicts | Promise<Verdicts> => {
    const contents = rows.map((row) => {
      const resource = contentOf(row)
      return filters.every((filter) => filter.test(resource)) ? resource : undefined
    })
    if (matcher.sync) {
      return contents.map((resource) =>
        resource !== undefined && matcher.test(resource) ? resource : undefined,
      )
    }
    return Promise.all(
      contents.map(async (resource) =>
        resource !== undefined && (await matcher.permits(resource, lookup)) ? resource : undefined,
      ),
    )
  }

  let after = options.after
  let limit = Math.min(options.first ?? MOST_AT_ONCE, MOST_AT_ONCE * 4)
  for (;;) {
    const page = { type, condition: prefilter.condition, driver, sort, after, limit }
    const found = await readPage(request, page)
    for (const row of found) Object.assign(row, { type, deleted: false })
    for await (const rows of wholeRows(on, found)) {
      const verdicts = nothingToCheck ? undefined : judge(rows)
      const judged = verdicts instanceof Promise ? await verdicts : verdicts
      for (const [i, row] of rows.entries()) {
        const resource = judged?.[i]
        if (judged !== undefined && resource === undefined) {
          options.onTurnedDown?.()
          if (prefilter.exact) {
            repository.onMismatch({ type: row.type, id: row.id, versionId: row.ver })
          }
          continue
        }
        yield { row, content: () => resource ?? contentOf(row) }
      }
    }
    if (found.length === limit) after = positionOf(found.at(-1)!, sort)
    else if (isWalked(page) && after?.[0] !== null) after = valuelessStart(sort)
    else return
    limit = MOST_AT_ONCE
  }
}

async function readPage({ repository, on }: Request, page: PageOf): Promise<FoundRow<SortedRow>[]> {
  const read = (asked: PageOf) =>
    runShape<FoundRow<SortedRow>>(on, pageStatement(asked, repository.params))
  const found = await read(page)
  const isShort = found.length < page.limit && isWalkedByText(page)
  return isShort ? read({ ...page, isGathered: true }) : found
}

export function positionOf(
  row: Pick<SortedRow, 'sk' | `s${number}`>,
  sort: readonly SortKey[],
): SearchPosition {
  return [...sort.map((_, i) => row[`s${i}`] ?? null), row.sk]
}
