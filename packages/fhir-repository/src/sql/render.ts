import type { Condition, Test, Tests } from './ast.ts'

export type SqlValue = string | number | readonly string[] | null

/** Collects parameters while a statement is written. */
export class SqlText {
  readonly values: SqlValue[] = []

  bind(value: SqlValue, cast = ''): string {
    this.values.push(value)
    return `$${this.values.length}${cast}`
  }
}

/**
 * Whether conditions on keys may drive the plan. `walk` hides them from the GIN index, so that
 * the planner follows the order asked for and filters on its way; `offset 0` keeps it from turning
 * a filter into a join.
 */
export type Drive = 'keys' | 'walk'

/** From here on a list of keys is looked up instead of compared one by one. */
const MANY_KEYS = 9

/** The condition on the row `row`, as SQL text over bound parameters. */
export function renderCondition(
  condition: Condition,
  sql: SqlText,
  row: string,
  drive: Drive,
): string {
  const keys = (operator: '@>' | '&&', values: readonly string[]) => {
    if (values.length === 0) throw new TypeError('no condition on keys without keys')
    const list = sql.bind(`{${values.join(',')}}`, '::int8[]')
    const text = `${row}.keys ${operator} ${list}`
    if (drive === 'keys') return text
    if (operator === '@>' || values.length < MANY_KEYS) return `((${text}) is true)`
    // The list is hashed once; comparing every key of a row with all of it takes a hundred times as long.
    return `exists (select 1 from unnest(${row}.keys) ${row}k(key) where (${row}k.key in (select unnest(${list}))) is true offset 0)`
  }
  switch (condition.kind) {
    case 'everything':
      return 'true'
    case 'nothing':
      return 'false'
    case 'types':
      return `${row}.type = any(${sql.bind(condition.types, '::text[]')})`
    case 'keys-all':
      return keys('@>', condition.keys)
    case 'keys-any':
      return condition.keys.length === 1 ? keys('@>', condition.keys) : keys('&&', condition.keys)
    case 'ids':
      return `${row}.id = any(${sql.bind(condition.ids, '::text[]')})`
    case 'updated':
      return renderTests(condition.tests, sql, row)
    case 'index': {
      const inner = `${row}i`
      const param = sql.bind(condition.param, '::int2')
      const tests = renderTests(condition.tests, sql, inner)
      const alone = drive === 'walk' ? ' offset 0' : ''
      return `exists (select 1 from ${condition.table} ${inner} where ${inner}.sk = ${row}.sk and ${inner}.p = ${param} and ${tests}${alone})`
    }
    case 'refers-to': {
      const inner = `${row}t`
      const param = condition.param
      const prefix = param === undefined ? undefined : `${param}=`
      const from = `unnest(${row}.refs) ${row}u(ref)`
      const start = prefix === undefined ? '' : `${row}u.ref like ${sql.bind(`${prefix}%`)} and `
      const target = `substr(${row}u.ref, strpos(${row}u.ref, '=') + 1)`
      const fits = renderCondition(condition.target, sql, inner, 'walk')
      return `exists (select 1 from ${from} join res ${inner} on ${inner}.type = split_part(${target}, '/', 1) and ${inner}.id = split_part(${target}, '/', 2) where ${start}not ${inner}.deleted and ${fits})`
    }
    case 'referred-by': {
      const inner = `${row}s`
      const key = `array[('x' || substr(encode(sha256(convert_to('ref' || chr(31) || ${row}.type || '/' || ${row}.id, 'UTF8')), 'hex'), 1, 16))::bit(64)::int8]`
      const fits = renderCondition(condition.source, sql, inner, 'walk')
      return `exists (select 1 from res ${inner} where ${inner}.keys @> ${key} and not ${inner}.deleted and ${fits})`
    }
    case 'and':
    case 'or':
      return `(${condition.of
        .map((part) => renderCondition(part, sql, row, drive))
        .join(` ${condition.kind} `)})`
    case 'not':
      return `(not ${renderCondition(condition.of, sql, row, 'walk')})`
    default:
      return unknown(condition)
  }
}

/** The tests on the row `row` of an index table, or on its `lu`. */
export function renderTests(tests: Tests, sql: SqlText, row: string): string {
  if (tests.length === 0 || tests.some((all) => all.length === 0)) {
    throw new TypeError('an empty test would be true of every row')
  }
  const [first, ...others] = tests
  const common = first!.filter((test) => others.every((all) => all.includes(test)))
  const each = tests.map((all) => all.filter((test) => !common.includes(test)))
  const conjunction = (all: readonly Test[]) =>
    all.map((test) => renderTest(test, sql, row)).join(' and ')
  if (each.some((all) => all.length === 0)) return conjunction(common)
  const alternatives = each.map((all) => `(${conjunction(all)})`).join(' or ')
  return common.length === 0 ? `(${alternatives})` : `${conjunction(common)} and (${alternatives})`
}

const CAST = {
  lo: '',
  hi: '',
  k: '::int8',
  u: '::int8',
  c: '::int8',
  n: '::int8',
  lu: '::int8',
  v: '::text',
  x: '::text',
  'left(v, 200)': '::text',
} satisfies Record<Test['column'], string>

function renderTest(test: Test, sql: SqlText, row: string): string {
  const column = test.column === 'left(v, 200)' ? `left(${row}.v, 200)` : `${row}.${test.column}`
  const cast = CAST[test.column]
  return `${column} ${test.operator} ${sql.bind(test.value, cast)}`
}

function unknown(condition: never): never {
  throw new TypeError(`no SQL for ${JSON.stringify(condition)}`)
}
