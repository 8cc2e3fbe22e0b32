import type pg from 'pg'
import { StorageError } from './storage-error.ts'

/** One step of the schema. `up` runs once, inside a transaction, as plain SQL on `client`. */
export interface Migration {
  /** As the file: `0001-fhir`. The number is the schema version it leads to. */
  readonly name: string
  up(client: pg.ClientBase): Promise<void>
}

/** Any number that no one else uses for an advisory lock in this database: "sgmigr" in ASCII. */
const MIGRATION_LOCK = '126826023250290'

/**
 * Brings the tables to the newest version: under an advisory lock, so that many processes may start
 * at once, and each migration in its own transaction. Returns the version reached. A schema that is
 * newer than the program, or not ours, is refused before anything is written.
 *
 * @throws {StorageError} `newer-schema`, `foreign-schema`
 */
export async function migrate(
  client: pg.ClientBase,
  migrations: readonly Migration[],
): Promise<number> {
  checkNames(migrations)
  await client.query(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`)
  try {
    const applied = await readApplied(client)
    checkApplied(applied, migrations)
    for (const [index, migration] of migrations.entries()) {
      if (index < applied.length) continue
      await applyMigration(client, migration, index + 1)
    }
    return migrations.length
  } finally {
    await client.query(`SELECT pg_advisory_unlock(${MIGRATION_LOCK})`).catch(() => {
      // The lock ends with the session; a lost connection must not hide the first error.
    })
  }
}

/** Names of the migrations this database has, oldest first; empty for an empty database. */
export async function readApplied(client: pg.ClientBase): Promise<readonly string[]> {
  const { rows: found } = await client.query<{ there: boolean }>(
    `SELECT to_regclass('scopegate_migration') IS NOT NULL AS there`,
  )
  if (!found[0]?.there) return []
  const { rows } = await client.query<{ name: string }>(
    'SELECT name FROM scopegate_migration ORDER BY version',
  )
  return rows.map((row) => row.name)
}

function checkNames(migrations: readonly Migration[]): void {
  for (const [index, { name }] of migrations.entries()) {
    const number = String(index + 1).padStart(4, '0')
    if (!name.startsWith(`${number}-`)) {
      throw new TypeError(`migration \`${name}\` is at place ${number} of the list`)
    }
  }
}

/** @throws {StorageError} `newer-schema`, `foreign-schema` */
export function checkApplied(applied: readonly string[], migrations: readonly Migration[]): void {
  const known = migrations.map((migration) => migration.name)
  const other = applied.findIndex((name, index) => index < known.length && name !== known[index])
  if (other >= 0) {
    throw new StorageError(
      'foreign-schema',
      `the database has migration \`${applied[other]}\` where this program has \`${known[other]}\`: ` +
        'it was not made by a release of Scopegate that leads to this one; nothing was changed. ' +
        'Use the program that made it, or an empty database',
    )
  }
  if (applied.length > known.length) {
    throw new StorageError(
      'newer-schema',
      `the database is at schema version ${applied.length} (\`${applied.at(-1)}\`), this program ` +
        `knows versions up to ${known.length}: it was used by a newer Scopegate; nothing was changed. ` +
        'Start that newer version, or restore a backup made by this one',
    )
  }
}

async function applyMigration(
  client: pg.ClientBase,
  migration: Migration,
  version: number,
): Promise<void> {
  await client.query('BEGIN')
  try {
    await recordMigration(client, migration, version)
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw new Error(`migration \`${migration.name}\` failed, nothing of it was kept`, {
      cause: error,
    })
  }
}

/** Runs one migration and notes it, in the transaction of the caller. */
export async function recordMigration(
  client: pg.ClientBase,
  migration: Migration,
  version: number,
): Promise<void> {
  await client.query(
    `CREATE TABLE IF NOT EXISTS scopegate_migration (
       version integer PRIMARY KEY,
       name text NOT NULL UNIQUE,
       applied_at timestamptz NOT NULL DEFAULT now())`,
  )
  await migration.up(client)
  await client.query('INSERT INTO scopegate_migration (version, name) VALUES ($1, $2)', [
    version,
    migration.name,
  ])
}
