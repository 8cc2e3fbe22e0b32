export type {
  ConnectionExamined,
  ConnectionSignIns,
  Connections,
  ConnectionView,
  SignInBegun,
  SignInCompleted,
} from './connection-ports.ts'
export { ConnectionSignInRefused } from './connection-ports.ts'
export { type AdminApi, type AdminApiDeps, createAdminApi } from './create-admin-api.ts'
export type { ImportEvent, ImportRefusal, ImportReport, TypeCounts } from './import/import-event.ts'
export { importStream } from './import/import-stream.ts'
export { SECRET_PLACEHOLDER, type ServerAddresses } from './kit/kit-facts.ts'
export { describeAdminApi } from './openapi.ts'
export type {
  AdminAudit,
  AuditVerification,
  ConfigurationStatus,
  DoctorFinding,
  DoctorReport,
  ImportItem,
  ImportResult,
  MasterKeyChange,
  MasterKeyStatus,
  NewUser,
  ResourceImporter,
  ServerStatus,
  SigningKeys,
  SigningKeyView,
  TraceReader,
  UserAnswer,
  UserChanges,
  UserRegistry,
  UserSessions,
  UserSessionView,
  UserView,
} from './ports.ts'
export { ADMIN_ROUTES } from './route-table.ts'
