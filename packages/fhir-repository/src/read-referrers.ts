import type { Key } from './keys.ts'
import { type FoundRow, SMALL_BODY } from './large-bodies.ts'
import { type Condition, keysAny } from './sql/ast.ts'
import { renderCondition, SqlText } from './sql/render.ts'
import { type Queryable, runShape } from './statement.ts'
import { type StoredRow, VERSION_COLUMNS } from './stored-row.ts'

/** A row with its references, `param=Type/id`: keys may collide, these do not. */
export type Referrer = StoredRow & { readonly refs: readonly string[] }

/**
 * Current rows that hold one of the keys and fulfil the condition, by their numbers, `limit` after
 * `after`. Found by the keys; the condition filters them.
 */
export async function readReferrers(
  on: Queryable,
  keys: readonly Key[],
  condition: Condition,
  after: number,
  limit: number,
): Promise<FoundRow<Referrer>[]> {
  if (keys.length === 0 || condition.kind === 'nothing') return []
  const sql = new SqlText()
  const refers = renderCondition(keysAny(...keys), sql, 'r', 'keys')
  const fits = renderCondition(condition, sql, 'r', 'walk')
  const behind = `(r.sk > ${sql.bind(after, '::int8')}) is true`
  const text = `with hits as materialized (
    select r.sk from res r where ${refers} and not r.deleted and ${fits} and ${behind}),
  page as (select sk from hits order by sk limit ${sql.bind(limit, '::int4')})
  select ${VERSION_COLUMNS}, ${SMALL_BODY}, r.refs from page join res r using (sk) order by r.sk`
  return runShape<FoundRow<Referrer>>(on, { text, values: sql.values })
}
