/** Tables of migration 0002, for Kysely. */
// biome-ignore lint/suspicious/noEmptyInterface: filled with the tables that are used through Kysely
export interface OAuthTables {}
