export type { DoctorReport, MasterKeyStatus } from '@scopegate/admin-api'
export { type TrustInstruction, trustInstructions } from '@scopegate/http'
export type { Needs } from '@scopegate/oauth-model'
export {
  backup,
  move,
  restore,
  type Storage,
  StorageError,
  verifyArchive,
} from '@scopegate/storage'
export { explainTokenWarning } from '@scopegate/token-broker'
export { ConfigError, type ConfigProblem, formatProblem } from './config/config-error.ts'
export { type ConfiguredProvider, upstreamProviders } from './config/configured-provider.ts'
export {
  configurationMarkdown,
  configurationSchema,
  configurationSchemaText,
} from './config/documents.ts'
export type { SecretUse } from './config/reference-reader.ts'
export { Secret } from './config/secret.ts'
export { type Settings, settings } from './config/settings.ts'
export { shownSettings } from './config/shown-settings.ts'
export type {
  Config,
  ConfigFlags,
  ConfiguredClient,
  ConfiguredIssuer,
  SecretInventory,
} from './config.ts'
export { readConfig, readSecretUses } from './config.ts'
export type { ConnectionReport } from './doctor/connection/connection-doctor.ts'
export {
  type ExamineConnectionOptions,
  examineConfiguredConnection,
} from './doctor/connection/examine-configured-connection.ts'
export { type ExamineOptions, examine } from './doctor/examine.ts'
export { UnfitToStart } from './doctor/examine-at-start.ts'
export { type Environment, readEnvironment } from './environment.ts'
export { createOfflineExplainer, type OfflineOptions } from './explain/offline-explainer.ts'
export { openConfiguredStorage } from './open-configured-storage.ts'
export { createLogger, type Logger, type LoggerOptions } from './operations/logger.ts'
export {
  readSampleClients,
  type SampleClient,
  type SampleState,
  sampleClientFile,
} from './sample-clients.ts'
export { type RunningServer, type StartOptions, startServer } from './start-server.ts'
export { version } from './version.ts'
