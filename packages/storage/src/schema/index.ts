import type { ColumnType } from 'kysely'
import type { AuditTables } from './audit-tables.ts'
import type { FhirTables } from './fhir-tables.ts'
import type { OAuthTables } from './oauth-tables.ts'

export interface MigrationTable {
  version: number
  name: string
  applied_at: ColumnType<Date, never, never>
}

/** All tables that are typed for Kysely. Hot paths write their SQL themselves on the pool. */
export interface Schema extends FhirTables, OAuthTables, AuditTables {
  scopegate_migration: MigrationTable
}
