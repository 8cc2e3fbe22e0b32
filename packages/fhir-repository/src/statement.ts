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

type Values = readonly (SqlValue | readonly number[] | boolean)[]

/** Runs a statement that stands in the program as it is, prepared once on each connection. */
export async function run<R extends QueryResultRow>(
  on: Queryable,
  text: string,
  values: Values,
): Promise<R[]> {
  const { rows } = await on.query<R>({
    name: nameOf(text, Number.POSITIVE_INFINITY)!,
    text,
    values: values as unknown[],
  })
  return rows
}

/**
 * Every connection keeps what it has prepared: searches of ever new shapes must not pile up. What
 * comes later is planned each time.
 */
const MOST_SHAPES = 200

/** Runs a statement that was put together for a search. */
export async function runShape<R extends QueryResultRow>(
  on: Queryable,
  { text, values }: { readonly text: string; readonly values: Values },
): Promise<R[]> {
  const name = nameOf(text, MOST_SHAPES)
  const { rows } = await on.query<R>({
    ...(name === undefined ? {} : { name }),
    text,
    values: values as unknown[],
  })
  return rows
}

const names = new Map<string, string>()

function nameOf(text: string, most: number): string | undefined {
  let name = names.get(text)
  if (name === undefined && names.size < most) {
    name = `fhir-${hash('sha256', text, 'hex').slice(0, 16)}`
    names.set(text, name)
  }
  return name
}
