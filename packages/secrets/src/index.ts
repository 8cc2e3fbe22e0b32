export type { SecretMeaning } from './clean-secret.ts'
export { fingerprintSecret } from './fingerprint.ts'
export {
  addMasterKey,
  type MasterKey,
  MasterKeyError,
  masterKeyFromText,
  masterKeysFromText,
  openMasterKeys,
} from './master-key.ts'
export {
  fileOfReference,
  maskSecretReference,
  type ParsedSecretReference,
  parseSecretReference,
  SECRET_REFERENCE,
  type SecretReference,
} from './reference.ts'
export {
  type ResolvedSecret,
  resolveSecret,
  type SecretFailure,
  type SecretResolution,
  type SecretSources,
} from './resolve-secret.ts'
export { createKeyRing, createSealer, type KeyRing, type Sealer, UnsealError } from './sealer.ts'
export {
  openSealing,
  type Sealing,
  type SealingDeps,
  type SealingEvent,
} from './sealing/open-sealing.ts'
export { RekeyRefused, type RekeyStatus, type SealingServer } from './sealing/rekey-status.ts'
export { SEALED_COLUMNS, type SealedColumn, type SealedRow } from './sealing/sealed-columns.ts'
export type { SecretWarning, SecretWarningCode } from './secret-warning.ts'
