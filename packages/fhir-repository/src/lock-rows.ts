import type { ResourceKey } from '@scopegate/fhir-model'
import { type FoundRow, SMALL_BODY } from './large-bodies.ts'
import { type Queryable, run } from './statement.ts'
import { VERSION_COLUMNS } from './stored-row.ts'

/**
 * Locks the rows of these instances and reads them, by `Type/id`. Everyone locks in one order, so
 * that transactions wait for each other and never in a circle.
 */
export async function lockRows(
  on: Queryable,
  keys: readonly ResourceKey[],
): Promise<ReadonlyMap<string, FoundRow>> {
  if (keys.length === 0) return new Map()
  const rows = await run<FoundRow>(
    on,
    `select ${VERSION_COLUMNS}, ${SMALL_BODY} from unnest($1::text[], $2::text[]) as k(type, id)
     join res r on r.type = k.type and r.id = k.id order by r.type, r.id for update of r`,
    [keys.map(({ type }) => type), keys.map(({ id }) => id)],
  )
  return new Map(rows.map((row) => [`${row.type}/${row.id}`, row]))
}
