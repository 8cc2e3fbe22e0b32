import type { KeyEstimate, Request } from './request.ts'
import type { Condition } from './sql/ast.ts'
import { renderTests, SqlText } from './sql/render.ts'
import { runShape } from './statement.ts'

/**
 * The part of a condition that few rows fulfil, by which they are gathered; the rest filters them.
 * Missing when many rows fit every part: then it is better to walk in the order asked for and to
 * filter on the way. Only the speed of an answer depends on it.
 */
export type Driver = Condition | undefined

/**
 * Gathering costs about one step per hit; walking costs `rows of the type / hits` steps for every
 * row of the page. They meet where the square of the hits is a page times the rows of the type.
 * But hits may lie close together, far along the walk: a small share of the type is gathered even
 * so, while that is a matter of milliseconds.
 */
const TYPICAL_PAGE = 50
const SMALL_SHARE = 0.02
const MOST_GATHERED = 20_000
const mostWorthGathering = (rows: number): number =>
  Math.max(Math.sqrt(TYPICAL_PAGE * rows), Math.min(SMALL_SHARE * rows, MOST_GATHERED))

export async function chooseDriver(
  { repository, on }: Request,
  type: string,
  condition: Condition,
  reads: 'page' | 'everything',
): Promise<Driver> {
  const { estimate } = repository
  const parts = conjunctsOf(condition)
  const rows = estimate.rowsOf(type)
  let best: { readonly part: Condition; readonly hits: number } | undefined
  for (const part of parts) {
    const hits = estimateHits(part, estimate)
    if (hits !== undefined && (best === undefined || hits < best.hits)) best = { part, hits }
  }
  // Without statistics the tables are young: any key will do.
  if (rows === undefined) return best?.part
  const most = reads === 'page' ? mostWorthGathering(rows) : rows / 2
  if (best !== undefined && best.hits < most) return best.part
  const limit = Math.ceil(Math.min(most, MOST_GATHERED))
  for (const part of parts) {
    if (part.kind !== 'index' && part.kind !== 'updated') continue
    if ((await probe(on, type, part, limit)) < limit) return part
  }
  return undefined
}

/** The parts that all must hold; a containment of several keys is one part for each. */
export function conjunctsOf(condition: Condition): readonly Condition[] {
  switch (condition.kind) {
    case 'and':
      return condition.of.flatMap(conjunctsOf)
    case 'keys-all':
      return condition.keys.map((key): Condition => ({ kind: 'keys-all', keys: [key] }))
    default:
      return [condition]
  }
}

/** What the statistics do not list is rare. */
const RARE = 50

/** Rows that fulfil a part; `undefined` where keys do not say. */
function estimateHits(part: Condition, estimate: KeyEstimate): number | undefined {
  const rowsWith = (key: string) => estimate.rowsWith(key) ?? RARE
  switch (part.kind) {
    case 'nothing':
      return 0
    case 'ids':
      return part.ids.length
    case 'keys-all':
      return Math.min(...part.keys.map(rowsWith))
    case 'keys-any':
      return sum(part.keys.map(rowsWith))
    case 'or': {
      const all = part.of.map((one) => estimateHits(one, estimate))
      return all.includes(undefined) || part.of.some((one) => one.kind === 'ids')
        ? undefined
        : sum(all as number[])
    }
    case 'and': {
      const known = part.of.flatMap((one) => estimateHits(one, estimate) ?? [])
      return known.length === 0 ? undefined : Math.min(...known)
    }
    default:
      return undefined
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

/** How many rows a part of an index table finds, counted no further than `most`. */
async function probe(
  on: Request['on'],
  type: string,
  part: Extract<Condition, { kind: 'index' | 'updated' }>,
  most: number,
): Promise<number> {
  const sql = new SqlText()
  const from =
    part.kind === 'updated'
      ? `res i where i.type = ${sql.bind(type)} and ${renderTests(part.tests, sql, 'i')}`
      : `${part.table} i where i.p = ${sql.bind(part.param, '::int2')} and ${renderTests(part.tests, sql, 'i')}`
  const text = `select count(*) as hits from (select 1 from ${from} limit ${sql.bind(most, '::int4')}) found`
  const [row] = await runShape<{ hits: number }>(on, { text, values: sql.values })
  return row!.hits
}
