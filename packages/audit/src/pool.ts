import type { Storage } from '@scopegate/storage'

/** The connections of the storage that the records are kept in. */
export type Pool = Storage['pool']
