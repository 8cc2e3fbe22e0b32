export { backup, type RestoreOptions, restore, verifyArchive } from './archive/backup.ts'
export type { ArchiveProgress, ArchiveReport, OnProgress } from './archive/copy-session.ts'
export { type MoveOptions, move } from './archive/move.ts'
export { asStorageError, storageProblem, storageStatus } from './classify-error.ts'
export { essentialWrite } from './essential-write.ts'
export type { Migration } from './migrate.ts'
export { migrations } from './migrations/index.ts'
export {
  attachStorage,
  openStorage,
  type StorageEvent,
  type StorageLocation,
  type StorageOptions,
} from './open-storage.ts'
export type { Schema } from './schema/index.ts'
export type { Storage } from './storage.ts'
export { StorageError, type StorageProblem } from './storage-error.ts'
export type { TransactionOptions } from './transaction.ts'
