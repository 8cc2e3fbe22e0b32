import type { SearchPosition, SortKey } from '@scopegate/fhir-model'
import { conjunctsOf, type Driver } from './choose-driver.ts'
import { SMALL_BODY } from './large-bodies.ts'
import type { ParamNumbers } from './param-numbers.ts'
import { type SortColumn, sortColumn } from './sort-column.ts'
import { and, type Condition } from './sql/ast.ts'
import { renderCondition, renderTests, SqlText } from './sql/render.ts'

export interface Statement {
  readonly text: string
  readonly values: SqlText['values']
}

export interface PageOf {
  readonly type: string
  readonly condition: Condition
  readonly driver: Driver
  readonly sort: readonly SortKey[]
  readonly after: SearchPosition | undefined
  readonly limit: number
  /** Sort all that fits, where a walk found too few: the rows without a value come after it. */
  readonly isGathered?: boolean
}

/** What a search reads of a row; type and deletion are known. */
const VERSION = 'r.sk, r.id, r.ver, r.lu, r.method'
const COLUMNS = `${VERSION}, ${SMALL_BODY}`

/**
 * The next `limit` rows after the position. Each row brings its sort values as `s0`, `s1` …
 * Rows of equal values stand by their number, in the direction of the last sort key.
 */
export function pageStatement(page: PageOf, params: ParamNumbers): Statement {
  const sql = new SqlText()
  const sorts = page.sort.map((key) => sortColumn(page.type, key, params))
  return { text: pageText(page, sorts, sql), values: sql.values }
}

function pageText(page: PageOf, sorts: readonly SortColumn[], sql: SqlText): string {
  if (sorts.length > 0) {
    if (isWalked(page)) return walkValues(page, sorts[0]!, sql)
    return isWalkedByText(page) ? walkText(page, sorts, sql) : sorted(page, sorts, sql)
  }
  return page.driver === undefined ? walk(page, sql) : gather(page, sql)
}

/** How many rows fit. */
export function countStatement(type: string, condition: Condition, driver: Driver): Statement {
  const sql = new SqlText()
  const { from, where } = hitsOf({ type, condition, driver }, sql, 'gather')
  return { text: `select count(*) as total from ${from} where ${where}`, values: sql.values }
}

/**
 * Whether the page is read off an index in the order asked for: a single key with such an index,
 * and too many hits to gather. Its rows without a value come last, from a walk of their own.
 */
export function isWalked({ driver, sort }: Pick<PageOf, 'driver' | 'sort'>): boolean {
  if (driver !== undefined || sort.length !== 1) return false
  return sort[0]!.param === '_lastUpdated' || sort[0]!.type === 'date'
}

/**
 * Whether the page is read off the index of its first key, a string: a page of all patients by name
 * must not look at all patients. Equal values are read to the last, so that the other keys order
 * them. Only where the position has a value.
 */
export function isWalkedByText({ driver, sort, after, isGathered }: PageOf): boolean {
  return driver === undefined && !isGathered && sort[0]?.type === 'string' && after?.[0] !== null
}

/** Where a walk that has no more values goes on: at the rows without one. */
export function valuelessStart(sort: readonly SortKey[]): SearchPosition {
  return [null, sort[0]!.descending ? Number.MAX_SAFE_INTEGER : 0]
}

function walk(page: PageOf, sql: SqlText): string {
  const { from, where } = hitsOf(page, sql, 'walk')
  return `select ${COLUMNS} from ${from} where ${where} and r.sk > ${bindSk(page, sql)}
    order by r.sk limit ${sql.bind(page.limit, '::int4')}`
}

function gather(page: PageOf, sql: SqlText): string {
  const { from, where } = hitsOf(page, sql, 'gather')
  return `with hits as materialized (
    select r.sk from ${from} where ${where} and (r.sk > ${bindSk(page, sql)}) is true),
  page as (select sk from hits order by sk limit ${sql.bind(page.limit, '::int4')})
  select ${COLUMNS} from page join res r using (sk) order by r.sk`
}

function sorted(page: PageOf, sorts: readonly SortColumn[], sql: SqlText): string {
  const values = sorts.map((sort, i) => `${sort.expression(sql)} as s${i}`).join(', ')
  const { from, where } = hitsOf(page, sql, 'gather')
  const hits = `select r.sk, ${values} from ${from} where ${where}`
  const after = page.after === undefined ? 'true' : afterSorted(sorts, page.after, sql)
  const order = orderOf(sorts)
  return `with hits as materialized (${hits}),
  page as (select * from hits where ${after} order by ${order} limit ${sql.bind(page.limit, '::int4')})
  select ${COLUMNS}, ${sorts.map((_, i) => `s${i}`).join(', ')} from page join res r using (sk) order by ${order}`
}

function walkText(page: PageOf, sorts: readonly SortColumn[], sql: SqlText): string {
  const [first, ...others] = sorts as [SortColumn, ...SortColumn[]]
  const column = first.walk(sql)
  const direction = first.descending ? 'desc' : 'asc'
  const { from, where } = hitsOf(page, sql, 'walk')
  const more = others.map((sort, i) => `, ${sort.expression(sql)} as s${i + 1}`).join('')
  const [start, after] =
    page.after === undefined
      ? ['true', 'true']
      : [
          `${column.value} ${first.descending ? '<=' : '>='} ${sql.bind(page.after[0]!, first.cast)}`,
          afterSorted(sorts, page.after, sql),
        ]
  const limit = sql.bind(page.limit, '::int4')
  const order = orderOf(sorts)
  return `with hits as materialized (
    select * from (
      select r.*, ${column.value} as s0 from ${column.table} cross join lateral (
        select r.sk${more} from ${from} where r.sk = ${column.sk} and ${where} and ${column.isFirst} offset 0) r
      where ${column.where} and ${start}) walked
    where ${after} order by s0 ${direction} fetch first (${limit}) rows with ties),
  page as (select * from hits order by ${order} limit ${limit})
  select ${COLUMNS}, ${sorts.map((_, i) => `s${i}`).join(', ')} from page join res r using (sk) order by ${order}`
}

function walkValues(page: PageOf, sort: SortColumn, sql: SqlText): string {
  const [value, sk] = page.after ?? []
  const [direction, beyond] = sort.descending ? ['desc', '<'] : ['asc', '>']
  const { from, where } = hitsOf(page, sql, 'walk')
  const limit = () => sql.bind(page.limit, '::int4')
  if (value === null) {
    return `select ${COLUMNS}, null as s0 from ${from} where ${where}
      and not exists (${sort.rowsOf('r.sk', sql)}) and r.sk ${beyond} ${sql.bind(sk ?? 0, '::int8')}
      order by r.sk ${direction} limit ${limit()}`
  }
  const column = sort.walk(sql)
  const after =
    value === undefined
      ? 'true'
      : `(${column.value}, ${column.sk}) ${beyond} (${sql.bind(value, '::int8')}, ${sql.bind(sk as number, '::int8')})`
  const order = `order by ${column.value} ${direction}, ${column.sk} ${direction} limit ${limit()}`
  if (column.table === undefined) {
    return `select ${COLUMNS}, ${column.value} as s0 from ${from} where ${where} and ${after} ${order}`
  }
  return `select ${COLUMNS}, ${column.value} as s0 from ${column.table} cross join lateral (
    select ${VERSION}, r.body from ${from} where r.sk = ${column.sk} and ${where} and ${column.isFirst} offset 0) r
    where ${column.where} and ${after} ${order}`
}

/**
 * The rows that fit. What drives may use its index; without a driver nothing may, so that the
 * planner follows the order (`walk`), or everything may (`gather`).
 */
function hitsOf(
  { type, condition, driver }: Pick<PageOf, 'type' | 'condition' | 'driver'>,
  sql: SqlText,
  undriven: 'walk' | 'gather',
): { readonly from: string; readonly where: string } {
  const typed = `r.type = ${sql.bind(type)} and not r.deleted`
  if (driver === undefined) {
    const drive = undriven === 'gather' ? 'keys' : 'walk'
    return { from: 'res r', where: `${typed} and ${renderCondition(condition, sql, 'r', drive)}` }
  }
  const text = JSON.stringify(driver)
  const others = conjunctsOf(condition).filter((part) => JSON.stringify(part) !== text)
  const filters =
    others.length === 0 ? '' : ` and ${renderCondition(and(...others), sql, 'r', 'walk')}`
  if (driver.kind === 'index') {
    const param = sql.bind(driver.param, '::int2')
    const rows = `select distinct d.sk from ${driver.table} d where d.p = ${param} and ${renderTests(driver.tests, sql, 'd')}`
    return { from: `(${rows}) driven join res r using (sk)`, where: `${typed}${filters}` }
  }
  const driving = renderCondition(driver, sql, 'r', 'keys')
  // Ids and instants have indexes that start with the type; beside keys its index would only cost.
  const kept = driver.kind === 'ids' || driver.kind === 'updated' ? typed : `(${typed}) is true`
  return { from: 'res r', where: `${kept} and ${driving}${filters}` }
}

function bindSk(page: PageOf, sql: SqlText): string {
  const sk = page.after?.at(-1) ?? 0
  if (typeof sk !== 'number') throw new TypeError('a position ends with a row number')
  return sql.bind(sk, '::int8')
}

const tieOf = (sorts: readonly SortColumn[]) =>
  sorts.at(-1)!.descending ? (['desc', '<'] as const) : (['asc', '>'] as const)

function orderOf(sorts: readonly SortColumn[]): string {
  const keys = sorts.map((sort, i) => `s${i} ${sort.descending ? 'desc' : 'asc'} nulls last`)
  return [...keys, `sk ${tieOf(sorts)[0]}`].join(', ')
}

/** Behind the position, by the order of the page: nulls last whichever way a key is sorted. */
function afterSorted(sorts: readonly SortColumn[], after: SearchPosition, sql: SqlText): string {
  if (after.length !== sorts.length + 1) throw new TypeError('a position of another order')
  const alternatives: string[] = []
  const equal: string[] = []
  for (const [i, sort] of sorts.entries()) {
    const value = after[i] ?? null
    if (value === null) {
      equal.push(`s${i} is null`)
      continue
    }
    const bound = sql.bind(value, sort.cast)
    const beyond = `(s${i} ${sort.descending ? '<' : '>'} ${bound} or s${i} is null)`
    alternatives.push([...equal, beyond].join(' and '))
    equal.push(`s${i} = ${bound}`)
  }
  const sk = sql.bind(after.at(-1) as number, '::int8')
  alternatives.push([...equal, `sk ${tieOf(sorts)[1]} ${sk}`].join(' and '))
  return `(${alternatives.map((text) => `(${text})`).join(' or ')})`
}
