import { hash } from 'node:crypto'
import type { QueryResult, QueryResultRow } from 'pg'
import type { SqlValue } from './sql/render.ts'

/** A pool, or one client inside a transaction. */
export interface Queryable {
  query<R extends QueryResultRow>(config: {
    name?: string
    text: string
    values: unknown[]
  }): Promise<QueryResult<R>>
}

/** Every connection keeps what it has prepared: searches of ever new shapes must not pile up. */
const MOST_NAMES = 400
const names = new Map<string, string>()

/** Runs `text` as a prepared statement while there is room for its name, else as it is. */
export async function run<R extends QueryResultRow>(
  on: Queryable,
  text: string,
  values: readonly (SqlValue | readonly number[] | boolean)[],
): Promise<R[]> {
  const { rows } = await on.query<R>({ ...nameOf(text), text, values: values as unknown[] })
  return rows
}

function nameOf(text: string): { name?: string } {
  let name = names.get(text)
  if (name === undefined) {
    if (names.size >= MOST_NAMES) return {}
    name = `fhir-${hash('sha256', text, 'hex').slice(0, 16)}`
    names.set(text, name)
  }
  return { name }
}
