import type { ResourceKey } from '@scopegate/fhir-model'
import { shareStatements } from './share-statements.ts'
import { type Queryable, run } from './statement.ts'
import { ROW_COLUMNS, type StoredRow } from './stored-row.ts'

/** Finds the current row of an instance; no Access is judged. */
export type RowReader = (key: ResourceKey) => Promise<StoredRow | undefined>

/** In a statement of its own: inside a transaction, and for one read alone. */
export async function readRowAlone(
  on: Queryable,
  { type, id }: ResourceKey,
): Promise<StoredRow | undefined> {
  const [row] = await run<StoredRow>(on, ONE, [type, id])
  return row
}

type Waiting = ResourceKey & PromiseWithResolvers<StoredRow | undefined>

const STATEMENTS = 4
const MOST_AT_ONCE = 100

/**
 * Reads current rows; those that are asked for while earlier ones are under way share a statement,
 * since under load the way to the database and back costs more than the row. A read never joins a
 * statement that was sent before it, so it sees every write acknowledged until then. Access is
 * judged afterwards, by each caller.
 */
export function createRowReader(pool: Queryable): RowReader {
  const ask = shareStatements<Waiting>({
    atOnce: STATEMENTS,
    take: (waiting) => waiting.splice(0, MOST_AT_ONCE),
    async send(batch) {
      try {
        const rows = await readRows(pool, batch)
        const byKey = new Map(rows.map((row) => [`${row.type}/${row.id}`, row]))
        for (const { type, id, resolve } of batch) resolve(byKey.get(`${type}/${id}`))
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    },
  })
  return (key) => {
    const entry = { ...key, ...Promise.withResolvers<StoredRow | undefined>() }
    ask(entry)
    return entry.promise
  }
}

async function readRows(pool: Queryable, keys: readonly ResourceKey[]): Promise<StoredRow[]> {
  const [only, ...others] = keys
  if (only !== undefined && others.length === 0)
    return run<StoredRow>(pool, ONE, [only.type, only.id])
  return run<StoredRow>(pool, MANY, [keys.map(({ type }) => type), keys.map(({ id }) => id)])
}

const ONE = `select ${ROW_COLUMNS} from res r where r.type = $1 and r.id = $2`
const MANY = `select ${ROW_COLUMNS}
  from unnest($1::text[], $2::text[]) as k(type, id) join res r on r.type = k.type and r.id = k.id`
