import { type Queryable, run } from './statement.ts'
import type { StoredRow } from './stored-row.ts'

/**
 * A body beyond so many bytes is not read along with its row: a statement that finds a thousand rows
 * must not bring a thousand bodies of ten megabytes. The length stands in the row, so that leaving
 * it out costs nothing; few resources are as large.
 */
export const LARGE_BODY_BYTES = 32 * 1024

/** The body as {@link FoundRow} has it. */
export const SMALL_BODY = smallBodyOf('r')

export function smallBodyOf(row: 'r' | 'h'): string {
  return `case when octet_length(${row}.body) <= ${LARGE_BODY_BYTES} then ${row}.body end as body`
}

/** A row as a statement finds it. `body` is `null` when it is large: then {@link wholeRows} reads it. */
export type FoundRow<R extends StoredRow = StoredRow> = Omit<R, 'body'> & {
  readonly body: string | null
}

/** Bytes of large bodies that are read at a time, unless one alone has more. */
const BYTES_AT_ONCE = 8 * 1024 * 1024

/**
 * The rows with their bodies, in the same order, in groups that may be held in memory. Who takes no
 * further group reads no further body. Each body is that of the version found, whatever has been
 * written since.
 */
export async function* wholeRows<R extends StoredRow>(
  on: Queryable,
  rows: readonly FoundRow<R>[],
): AsyncIterable<readonly R[]> {
  let start = 0
  while (start < rows.length) {
    let end = start
    while (end < rows.length && rows[end]!.body !== null) end += 1
    if (end > start) yield rows.slice(start, end) as unknown as R[]
    start = end
    while (end < rows.length && rows[end]!.body === null) end += 1
    const large = rows.slice(start, end)
    for (let from = 0; from < large.length; ) {
      const bodies = await readBodies(on, large.slice(from))
      const whole = bodies.map((body, i) => withBody(large[from + i]!, body))
      yield whole.filter(({ body }) => body !== '')
      from += bodies.length
    }
    start = end
  }
}

/** One row with its body. */
export async function wholeRow<R extends StoredRow>(on: Queryable, row: FoundRow<R>): Promise<R> {
  if (row.body !== null) return row as unknown as R
  const [body] = await readBodies(on, [row])
  return withBody(row, body!)
}

const withBody = <R extends StoredRow>(row: FoundRow<R>, body: string): R =>
  ({ ...row, body }) as unknown as R

/** A version is in one of the two tables. */
const BODIES = `select body from (
  select k.n, coalesce(r.body, h.body) as body,
         sum(octet_length(coalesce(r.body, h.body))) over (order by k.n) as upto
  from unnest($1::int8[], $2::int4[]) with ordinality as k(sk, ver, n)
  left join res r on r.sk = k.sk and r.ver = k.ver
  left join hist h on h.sk = k.sk and h.ver = k.ver) sized
where n = 1 or upto <= $3::int8 order by n`

/** The bodies of the first of these rows: of one at least. */
async function readBodies(
  on: Queryable,
  rows: readonly { readonly sk: number; readonly ver: number }[],
): Promise<string[]> {
  const found = await run<{ body: string | null }>(on, BODIES, [
    rows.map(({ sk }) => sk),
    rows.map(({ ver }) => ver),
    BYTES_AT_ONCE,
  ])
  // A version that was removed altogether counts as deleted.
  return found.map(({ body }) => body ?? '')
}
