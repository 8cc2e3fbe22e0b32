export type { SecretMeaning } from './clean-secret.ts'
export { fingerprintSecret } from './fingerprint.ts'
export { type MasterKey, MasterKeyError, masterKeyFromText, openMasterKeys } from './master-key.ts'
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
export { createSealer, type Sealer, UnsealError } from './sealer.ts'
export type { SecretWarning, SecretWarningCode } from './secret-warning.ts'
