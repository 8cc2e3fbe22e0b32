import {
  isSortable,
  type SearchParamType,
  SearchRefused,
  type SortKey,
  searchParameter,
} from '@scopegate/fhir-model'
import type { ParamNumbers } from './param-numbers.ts'
import type { SqlText } from './sql/render.ts'

/** One key of a sort, as SQL. */
export interface SortColumn {
  readonly descending: boolean
  readonly cast: string
  /** The value of the row `r`: its least when ascending, its greatest when descending. */
  expression(sql: SqlText): string
  /** A query of the values that the row `sk` has. */
  rowsOf(sk: string, sql: SqlText): string
  /** How to read rows in the order of the value; for dates, strings and `_lastUpdated`. */
  walk(sql: SqlText): ValueWalk
}

export interface ValueWalk {
  readonly value: string
  readonly sk: string
  /** The table whose index holds the order, as `i`; missing when it is `res` itself. */
  readonly table?: string
  readonly where?: string
  /** True of one of the values of a row only: the first in this order. */
  readonly isFirst?: string
}

type IndexTable = 'ix_date' | 'ix_num' | 'ix_str'

const TABLE: Readonly<Partial<Record<SearchParamType, IndexTable>>> = {
  date: 'ix_date',
  number: 'ix_num',
  quantity: 'ix_num',
  string: 'ix_str',
  uri: 'ix_str',
  token: 'ix_str',
}
const CAST: Readonly<Record<IndexTable, string>> = {
  ix_date: '::int8',
  ix_num: '::float8',
  ix_str: '::text',
}

/** @throws {SearchRefused} for a parameter that has no order. */
export function sortColumn(type: string, key: SortKey, params: ParamNumbers): SortColumn {
  const { param, descending } = key
  if (param === '_lastUpdated') return rowColumn('r.lu', '::int8', descending)
  if (param === '_id') return rowColumn('r.id', '::text', descending)
  const parameter = searchParameter(type, param)
  const table = TABLE[key.type]
  if (table === undefined || parameter === undefined || !isSortable(parameter)) {
    throw new SearchRefused(
      'not-supported',
      `\`_sort=${param}\` is not supported: coded concepts and references have no order`,
      'sort by a date, a string, a number, a quantity or a plain code',
    )
  }
  return indexColumn(table, params.numberOf(type, param), descending)
}

function rowColumn(column: string, cast: string, descending: boolean): SortColumn {
  return {
    descending,
    cast,
    expression: () => column,
    rowsOf: () => 'select 1',
    walk: () => ({ value: column, sk: 'r.sk' }),
  }
}

function indexColumn(table: IndexTable, param: number, descending: boolean): SortColumn {
  // Long strings are ordered by their start, which is what a position can hold.
  const value = table === 'ix_str' ? 'left(i.v, 200)' : descending ? 'i.hi' : 'i.lo'
  const rows = (sk: string, sql: SqlText) =>
    `from ${table} i where i.sk = ${sk} and i.p = ${sql.bind(param, '::int2')}`
  return {
    descending,
    cast: CAST[table],
    expression: (sql) => `(select ${descending ? 'max' : 'min'}(${value}) ${rows('r.sk', sql)})`,
    rowsOf: (sk, sql) => `select 1 ${rows(sk, sql)}`,
    walk: (sql) => {
      const better = descending ? '>' : '<'
      const other = value.replaceAll('i.', 'j.')
      return {
        value,
        sk: 'i.sk',
        table: `${table} i`,
        where: `i.p = ${sql.bind(param, '::int2')}`,
        isFirst: `not exists (select 1 from ${table} j where j.sk = i.sk and j.p = i.p and (${other} ${better} ${value} or (${other} = ${value} and j.ctid < i.ctid)) offset 0)`,
      }
    },
  }
}
