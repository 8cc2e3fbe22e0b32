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
export { redactPath } from './redact-path.ts'
export type { Trace, TraceOutcome, TraceQuery, TraceSink } from './trace.ts'
export { createTraceStore, type TraceStore, type TraceStoreOptions } from './trace-store.ts'
