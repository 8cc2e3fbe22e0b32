import type { ResourceKey } from '@scopegate/fhir-model'
import type { Storage } from '@scopegate/storage'
import { type Change, replaceIndex } from './apply-changes.ts'
import { type IndexRows, indexRows } from './index-rows.ts'
import { type FoundRow, SMALL_BODY, wholeRows } from './large-bodies.ts'
import type { Repository } from './request.ts'
import { type Queryable, run } from './statement.ts'
import { contentOf, type StoredRow, VERSION_COLUMNS } from './stored-row.ts'

export interface IndexReport {
  readonly checked: number
  /** Instances that are found by something else than what they hold; the first hundred. */
  readonly differing: readonly ResourceKey[]
  readonly differingCount: number
  /** Index rows that belong to no current resource. */
  readonly orphans: number
}

export interface ReindexStep {
  readonly checked: number
  readonly changed: number
  /** Where to go on from after an interruption. */
  readonly after: number
}

const AT_ONCE = 500
const MOST_NAMED = 100

/** Compares the index of every current resource with its body. Reads only; writes may go on. */
export async function checkIndexes(on: Queryable, repository: Repository): Promise<IndexReport> {
  const differing: ResourceKey[] = []
  let checked = 0
  let differingCount = 0
  for (let after = 0; ; ) {
    const found = await readIndexed(on, after, '')
    for await (const rows of wholeRows(on, found)) {
      for (const row of rows) {
        checked += 1
        if (isIndexedRight(row, repository)) continue
        differingCount += 1
        if (differing.length < MOST_NAMED) differing.push({ type: row.type, id: row.id })
      }
    }
    if (found.length < AT_ONCE) break
    after = found.at(-1)!.sk
  }
  const [orphans] = await run<{ count: number }>(on, ORPHANS, [])
  return { checked, differing, differingCount, orphans: orphans!.count }
}

/**
 * Makes the index anew where it differs from the body, after the definitions or the base URL have
 * changed. Online: a few hundred rows are locked at a time. Resumable: pass the last `after`.
 */
export async function* reindex(
  storage: Storage,
  repository: Repository,
  start: { readonly after?: number } = {},
): AsyncIterable<ReindexStep> {
  for (let after = start.after ?? 0; ; ) {
    const { rows, changed } = await storage.transaction(async (client) => {
      const found = await readIndexed(client, after, 'for update of r')
      let changed = 0
      for await (const rows of wholeRows(client, found)) {
        const wrong = rows.filter((row) => !isIndexedRight(row, repository))
        const made = wrong.map((row) => ({ ...changeOf(row), index: indexOf(row, repository) }))
        await replaceIndex(client, made)
        changed += made.length
      }
      return { rows: found, changed }
    })
    after = rows.at(-1)?.sk ?? after
    yield { checked: rows.length, changed, after }
    if (rows.length < AT_ONCE) return
  }
}

const changeOf = ({ sk, type, id, ver, lu, method, body }: IndexedRow): Omit<Change, 'index'> => ({
  sk,
  type,
  id,
  ver,
  lu,
  method,
  body,
})

type Cells = readonly (readonly (string | number)[])[]
interface IndexedRow extends StoredRow {
  readonly keys: readonly string[]
  readonly refs: readonly string[]
  readonly dates: Cells | null
  readonly strings: Cells | null
  readonly numbers: Cells | null
}

function readIndexed(on: Queryable, after: number, lock: '' | 'for update of r') {
  return run<FoundRow<IndexedRow>>(
    on,
    `select ${VERSION_COLUMNS}, ${SMALL_BODY}, r.keys::text[] as keys, r.refs,
       (select json_agg(json_build_array(p, lo, hi)) from ix_date where sk = r.sk) as dates,
       (select json_agg(json_build_array(p, v, x)) from ix_str where sk = r.sk) as strings,
       (select json_agg(json_build_array(p, k::text, lo, hi, u::text, c::text, n::text))
        from ix_num where sk = r.sk) as numbers
     from res r where not r.deleted and r.sk > $1::int8 order by r.sk limit ${AT_ONCE} ${lock}`,
    [after],
  )
}

const ORPHANS = `select count(*) as count from (
  select sk from ix_date union all select sk from ix_str union all select sk from ix_num) i
  where not exists (select 1 from res r where r.sk = i.sk and not r.deleted)`

const indexOf = (row: IndexedRow, { params, base }: Repository): IndexRows =>
  indexRows(contentOf(row), params, base)

function isIndexedRight(row: IndexedRow, repository: Repository): boolean {
  const index = indexOf(row, repository)
  return (
    isSame(row.keys, index.keys) &&
    isSame(row.refs, index.refs) &&
    isSame(textsOf(row.dates), textsOf(index.dates)) &&
    isSame(textsOf(row.strings), textsOf(index.strings)) &&
    isSame(textsOf(row.numbers), textsOf(index.numbers))
  )
}

/** JSON knows no infinity: PostgreSQL writes it as a string. */
const textsOf = (cells: Cells | null): string[] =>
  (cells ?? []).map((row) => JSON.stringify(row.map(String)))

/** The same members, however often; their order means nothing. */
function isSame(a: readonly string[], b: readonly string[]): boolean {
  const left = a.toSorted()
  const right = b.toSorted()
  return left.length === right.length && left.every((text, i) => text === right[i])
}
