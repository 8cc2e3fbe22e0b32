/** Tables of migration 0001, for Kysely. */
// biome-ignore lint/suspicious/noEmptyInterface: filled with the tables that are used through Kysely
export interface FhirTables {}
