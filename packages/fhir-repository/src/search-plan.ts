import {
  isSortable,
  type SearchPosition,
  SearchRefused,
  type SortKey,
  searchParameter,
} from '@scopegate/fhir-model'
import { typeKey } from './keys.ts'
import type { ParamNumbers } from './param-numbers.ts'
import { and, type Condition, keysAll } from './sql/ast.ts'
import { type Drive, renderCondition, SqlText } from './sql/render.ts'
import { ROW_COLUMNS } from './stored-row.ts'

export interface Statement {
  readonly text: string
  readonly values: SqlText['values']
}

/**
 * How the rows are found. `collect`: few fit, so gather them by their keys, then order them.
 * `walk`: many fit, so follow the order asked for and filter on the way.
 */
export type Plan = 'collect' | 'walk'

export interface PageOf {
  readonly type: string
  readonly condition: Condition
  readonly sort: readonly SortKey[]
  readonly after: SearchPosition | undefined
  readonly limit: number
}

/** The next `limit` rows after the position. Each row brings its sort values as `s0`, `s1` … */
export function pageStatement(page: PageOf, plan: Plan, params: ParamNumbers): Statement {
  const sql = new SqlText()
  const sorts = page.sort.map((key) => sortColumn(page.type, key, params))
  if (sorts.length === 0) {
    const text = plan === 'walk' ? walk(page, sql) : collect(page, sql)
    return { text, values: sql.values }
  }
  const keyed = sorts.map((sort, i) => `${sort.expression(sql)} as s${i}`).join(', ')
  const names = sorts.map((_, i) => `s${i}`)
  const order = [
    ...sorts.map((sort, i) => `s${i} ${sort.descending ? 'desc' : 'asc'} nulls last`),
    'sk',
  ].join(', ')
  const hits = `select r.sk, ${keyed} from res r where ${whereOf(page, sql, 'keys')}`
  const after = page.after === undefined ? 'true' : afterSorted(sorts, page.after, sql)
  const text = `with hits as materialized (${hits}), page as (
    select * from hits where ${after} order by ${order} limit ${sql.bind(page.limit, '::int4')})
  select ${ROW_COLUMNS}, ${names.join(', ')} from page join res r using (sk) order by ${order}`
  return { text, values: sql.values }
}

/** How many rows fit. */
export function countStatement(type: string, condition: Condition): Statement {
  const sql = new SqlText()
  const where = renderWhere(type, condition, sql, 'keys')
  return { text: `select count(*) as total from res r where ${where}`, values: sql.values }
}

function walk(page: PageOf, sql: SqlText): string {
  return `select ${ROW_COLUMNS} from res r where ${whereOf(page, sql, 'walk')} and r.sk > ${bindSk(page, sql)}
    order by r.sk limit ${sql.bind(page.limit, '::int4')}`
}

function collect(page: PageOf, sql: SqlText): string {
  return `with hits as materialized (
    select r.sk from res r where ${whereOf(page, sql, 'keys')} and r.sk > ${bindSk(page, sql)}),
  page as (select sk from hits order by sk limit ${sql.bind(page.limit, '::int4')})
  select ${ROW_COLUMNS} from page join res r using (sk) order by r.sk`
}

const whereOf = (page: PageOf, sql: SqlText, drive: Drive): string =>
  renderWhere(page.type, page.condition, sql, drive)

function renderWhere(type: string, condition: Condition, sql: SqlText, drive: Drive): string {
  const typed =
    drive === 'keys' && !asksForIds(condition) ? and(keysAll(typeKey(type)), condition) : condition
  return `r.type = ${sql.bind(type)} and not r.deleted and ${renderCondition(typed, sql, 'r', drive)}`
}

function asksForIds(condition: Condition): boolean {
  return condition.kind === 'ids' || (condition.kind === 'and' && condition.of.some(asksForIds))
}

function bindSk(page: PageOf, sql: SqlText): string {
  const sk = page.after?.at(-1) ?? 0
  if (typeof sk !== 'number') throw new TypeError('a position ends with a row number')
  return sql.bind(sk, '::int8')
}

interface SortColumn {
  readonly descending: boolean
  readonly cast: string
  expression(sql: SqlText): string
}

function sortColumn(type: string, key: SortKey, params: ParamNumbers): SortColumn {
  const { param, descending } = key
  if (param === '_lastUpdated') return { descending, cast: '::int8', expression: () => 'r.lu' }
  if (param === '_id') return { descending, cast: '::text', expression: () => 'r.id' }
  const column = (table: string, low: string, high: string, cast: string): SortColumn => ({
    descending,
    cast,
    expression: (sql) =>
      `(select ${descending ? `max(i.${high})` : `min(i.${low})`} from ${table} i where i.sk = r.sk and i.p = ${sql.bind(params.numberOf(type, param), '::int2')})`,
  })
  switch (key.type) {
    case 'date':
      return column('ix_date', 'lo', 'hi', '::int8')
    case 'number':
    case 'quantity':
      return column('ix_num', 'lo', 'hi', '::float8')
    case 'token': {
      const parameter = searchParameter(type, param)
      if (parameter === undefined || !isSortable(parameter)) break
      return column('ix_str', 'v', 'v', '::text')
    }
    case 'string':
    case 'uri':
      return column('ix_str', 'v', 'v', '::text')
  }
  throw new SearchRefused(
    'not-supported',
    `\`_sort=${param}\` is not supported: its values are coded concepts or references, which have no order`,
    'sort by a date, a string, a number, a quantity or a plain code',
  )
}

/** Behind the position, by the order of the page: nulls last whichever way a key is sorted. */
function afterSorted(sorts: readonly SortColumn[], after: SearchPosition, sql: SqlText): string {
  if (after.length !== sorts.length + 1) throw new TypeError('a position of another order')
  const alternatives: string[] = []
  const equal: string[] = []
  for (const [i, sort] of sorts.entries()) {
    const value = after[i] ?? null
    if (value !== null) {
      const bound = sql.bind(value, sort.cast)
      const beyond = `(s${i} ${sort.descending ? '<' : '>'} ${bound} or s${i} is null)`
      alternatives.push([...equal, beyond].join(' and '))
      equal.push(`s${i} = ${bound}`)
    } else {
      equal.push(`s${i} is null`)
    }
  }
  const sk = sql.bind(after.at(-1) as number, '::int8')
  alternatives.push([...equal, `sk > ${sk}`].join(' and '))
  return `(${alternatives.map((text) => `(${text})`).join(' or ')})`
}
