export { type MasterKey, MasterKeyError, masterKeyFromText, openMasterKeys } from './master-key.ts'
export { createSealer, type Sealer, UnsealError } from './sealer.ts'
export { type ResolvedSecret, resolveSecret, type SecretSources } from './secret-reference.ts'
