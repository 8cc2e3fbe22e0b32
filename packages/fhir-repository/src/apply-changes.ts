import type { StoredVersion } from '@scopegate/fhir-model'
import type { IndexRows } from './index-rows.ts'
import { type Queryable, run } from './statement.ts'

/** A version that is to become the current one of its row. */
export interface Change {
  readonly sk: number
  readonly type: string
  readonly id: string
  readonly ver: number
  readonly lu: number
  readonly method: StoredVersion['method']
  /** `''` for a deletion. */
  readonly body: string
  /** Missing for a deletion: the row keeps its last keys, and is found by nothing. */
  readonly index?: IndexRows
}

/** JSON text and index texts hold neither: a list of them needs no escaping. */
const BETWEEN_ROWS = '\u001e'
const BETWEEN_REFS = '\u001f'

const INPUT = `input as (
  select u.sk, u.type, u.id, u.ver, u.lu, u.method, u.keys::int8[] as keys,
         coalesce(string_to_array(u.refs, E'\\x1f'), '{}') as refs,
         coalesce(u.body, '') as body
  from unnest($1::int8[], $2::text[], $3::text[], $4::int4[], $5::int8[], $6::text[],
              $7::text[], string_to_array($8, E'\\x1e'), string_to_array($9, E'\\x1e'))
       as u(sk, type, id, ver, lu, method, keys, refs, body))`

const INDEX = `
dates as (insert into ix_date (sk, p, lo, hi)
  select * from unnest($10::int8[], $11::int2[], $12::int8[], $13::int8[])),
strings as (insert into ix_str (sk, p, v, x)
  select u.sk, u.p, coalesce(u.v, ''), coalesce(u.x, '')
  from unnest($14::int8[], $15::int2[], string_to_array($16, E'\\x1e'),
    string_to_array($17, E'\\x1e')) as u(sk, p, v, x)),
numbers as (insert into ix_num (sk, p, k, lo, hi, u, c, n)
  select * from unnest($18::int8[], $19::int2[], $20::int8[], $21::float8[], $22::float8[],
    $23::int8[], $24::int8[], $25::int8[]))`

const INSERT = `with ${INPUT}, ${INDEX}
insert into res (sk, type, id, ver, lu, method, deleted, keys, refs, body)
select sk, type, id, ver, lu, method, false, keys, refs, body from input order by type, id`

const NO_INDEX = `
no_dates as (delete from ix_date where sk = any($1::int8[])),
no_strings as (delete from ix_str where sk = any($1::int8[])),
no_numbers as (delete from ix_num where sk = any($1::int8[]))`

const REPLACE_INDEX = `with ${INPUT}, ${NO_INDEX}, ${INDEX}
update res r set keys = i.keys, refs = i.refs from input i where r.sk = i.sk`

const UPDATE = `with ${INPUT},
superseded as (insert into hist (sk, ver, type, lu, method, deleted, keys, body)
  select r.sk, r.ver, r.type, r.lu, r.method, r.deleted, r.keys, r.body
  from res r join input using (sk)),
${NO_INDEX}, ${INDEX}
update res r set ver = i.ver, lu = i.lu, method = i.method, deleted = (i.body = ''),
  keys = case when i.body = '' then r.keys else i.keys end,
  refs = case when i.body = '' then r.refs else i.refs end, body = i.body
from input i where r.sk = i.sk`

/** Rows of new instances. @throws the unique violation of PostgreSQL (23505) when an id is taken. */
export async function insertNew(on: Queryable, changes: readonly Change[]): Promise<void> {
  if (changes.length > 0) await run(on, INSERT, parametersOf(changes))
}

/**
 * Makes each change the current version of its row; the one before goes to the history. The caller
 * holds the rows locked.
 */
export async function supersede(on: Queryable, changes: readonly Change[]): Promise<void> {
  if (changes.length > 0) await run(on, UPDATE, parametersOf(changes))
}

/** What the rows are found by, made anew; no version, no history. The caller holds them locked. */
export async function replaceIndex(on: Queryable, changes: readonly Change[]): Promise<void> {
  if (changes.length > 0) await run(on, REPLACE_INDEX, parametersOf(changes))
}

function parametersOf(changes: readonly Change[]): string[] {
  const texts: string[][] = Array.from({ length: 25 }, () => [])
  const add = (first: number, values: readonly (string | number)[]) => {
    for (let i = 0; i < values.length; i++) texts[first + i]!.push(String(values[i]))
  }
  for (const change of changes) {
    const { sk, type, id, ver, lu, method, body, index } = change
    if (body.includes(BETWEEN_ROWS)) throw new TypeError('a body is not JSON text')
    const keys = `"{${(index?.keys ?? []).join(',')}}"`
    const refs = (index?.refs ?? []).join(BETWEEN_REFS)
    if (!ID.test(id)) throw new TypeError('an id is not a FHIR id')
    add(0, [sk, type, `"${id}"`, ver, lu, method, keys, refs, body])
    for (const [p, lo, hi] of index?.dates ?? []) add(9, [sk, p, lo, hi])
    for (const [p, v, x] of index?.strings ?? []) add(13, [sk, p, v, x])
    for (const row of index?.numbers ?? []) add(17, [sk, ...row])
  }
  return texts.map((column, at) =>
    JOINED_COLUMNS.has(at) ? column.join(BETWEEN_ROWS) : `{${column.join(',')}}`,
  )
}

const ID = /^[A-Za-z0-9\-.]{1,64}$/

/** Columns sent as one text; all others are array literals of numbers, types, ids and keys. */
const JOINED_COLUMNS: ReadonlySet<number> = new Set([7, 8, 15, 16])
