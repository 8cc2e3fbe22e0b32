export type { AccessEvent, AdminEvent } from './access-event.ts'
export {
  type AccessAudit,
  type AdminAudit,
  type AuditKind,
  type AuditLog,
  type AuditLogOptions,
  createAccessAudit,
  createAdminAudit,
} from './audit-log.ts'
export { BufferFull } from './batch-writer.ts'
export { type PruneAuditOptions, pruneAudit } from './prune-audit.ts'
export {
  type AdminAuditEntry,
  type AdminAuditQuery,
  readAdminAudit,
} from './read-admin-audit.ts'
export { redactApiPath, redactPath } from './redact-path.ts'
export { type RetentionOptions, startRetention } from './start-retention.ts'
export type { Trace, TraceOutcome, TraceQuery, TraceSink, UpstreamTrace } from './trace.ts'
export {
  createTraceStore,
  type TraceLosses,
  type TraceStore,
  type TraceStoreOptions,
} from './trace-store.ts'
export { type AuditVerification, type VerifyAuditOptions, verifyAudit } from './verify-audit.ts'
