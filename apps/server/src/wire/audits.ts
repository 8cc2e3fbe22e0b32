import {
  type AccessAudit,
  type AdminAudit,
  type AdminAuditEntry,
  type AdminAuditQuery,
  createAccessAudit,
  createAdminAudit,
  createTraceStore,
  readAdminAudit,
  startRetention,
  type TraceStore,
} from '@scopegate/audit'
import type { Storage } from '@scopegate/storage'
import type { Settings } from '../config/settings.ts'
import type { Logger } from '../operations/logger.ts'
import { verifyAudits } from '../verify-audits.ts'
import type { Keys } from './keys.ts'

/** What is recorded: accesses, changes, and requests with their reasons. */
export interface Audits {
  readonly accessAudit: AccessAudit
  readonly adminAudit: AdminAudit
  readonly traces: TraceStore
  verify(): ReturnType<typeof verifyAudits>
  /** Entries of the admin audit, newest first. */
  list(query: AdminAuditQuery): Promise<readonly AdminAuditEntry[]>
  /** Writes what is buffered. */
  close(): Promise<void>
}

export function wireAudits(
  { pool }: Storage,
  keys: Keys,
  { mode, retentionDays, traceLimit, traceDays }: Settings['audit'],
  log: Logger,
  nowMs: () => number,
): Audits {
  const chainKey = keys.derive('audit chain')
  const options = {
    pool,
    chainKey,
    onError: (error: unknown, lost: number) => log.error({ error, lost }, 'audit failed'),
  } as const
  const traces = createTraceStore({
    pool,
    maxTraces: traceLimit,
    maxAgeSeconds: traceDays * 86_400,
    onError: (error) => log.warn({ error }, 'traces could not be written'),
  })
  const accessAudit = createAccessAudit({ ...options, mode })
  // An operator's change that cannot be recorded is not made silently, whatever the mode.
  const adminAudit = createAdminAudit({ ...options, mode: 'required' })
  const keepSeconds = retentionDays * 86_400
  const retention = startRetention({
    pool,
    keepSeconds: { access: keepSeconds, admin: keepSeconds },
    now: nowMs,
    onError: (error) => log.warn({ error }, 'audit retention failed'),
  })
  return {
    ...{ accessAudit, adminAudit, traces },
    verify: () => verifyAudits(pool, chainKey),
    list: (query) => readAdminAudit(pool, query),
    async close() {
      await retention.stop()
      await Promise.allSettled([accessAudit.close(), adminAudit.close(), traces.close()])
    },
  }
}
