import type pg from 'pg'
import type { ArchiveTable } from './frames.ts'

/** Tables of the schema with the columns that COPY takes, each after those it refers to. */
export async function readTables(client: pg.ClientBase): Promise<readonly ArchiveTable[]> {
  const { rows } = await client.query<{ table: string; columns: string[]; needs: string[] }>(
    `SELECT c.relname::text AS table,
            (SELECT coalesce(array_agg(a.attname::text ORDER BY a.attnum), '{}')
               FROM pg_attribute a
              WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND a.attgenerated = '') AS columns,
            (SELECT coalesce(array_agg(DISTINCT f.relname::text), '{}')
               FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid
              WHERE k.conrelid = c.oid AND k.contype = 'f' AND f.oid <> c.oid) AS needs
       FROM pg_class c
      WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
        AND c.relname <> 'scopegate_migration'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
      ORDER BY c.relname COLLATE "C"`,
  )
  return inOrderOfNeed(rows)
}

function inOrderOfNeed(
  tables: readonly (ArchiveTable & { readonly needs: readonly string[] })[],
): readonly ArchiveTable[] {
  const byName = new Map(tables.map((entry) => [entry.table, entry]))
  const ordered = new Map<string, ArchiveTable>()
  const visit = (name: string, path: readonly string[]): void => {
    const entry = byName.get(name)
    if (!entry || ordered.has(name)) return
    if (path.includes(name)) {
      throw new TypeError(`foreign keys go in a circle: ${[...path, name].join(' → ')}`)
    }
    for (const needed of entry.needs) visit(needed, [...path, name])
    ordered.set(name, { table: name, columns: entry.columns })
  }
  for (const { table } of tables) visit(table, [])
  return [...ordered.values()]
}

/** Names of the sequences of the schema. */
export async function readSequences(client: pg.ClientBase): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname::text AS name FROM pg_class
      WHERE relnamespace = current_schema()::regnamespace AND relkind = 'S'
      ORDER BY relname COLLATE "C"`,
  )
  return rows.map((row) => row.name)
}
