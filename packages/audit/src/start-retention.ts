import type { AuditKind } from './audit-log.ts'
import type { Pool } from './pool.ts'
import { pruneAudit } from './prune-audit.ts'

export interface RetentionOptions {
  readonly pool: Pool
  /** How long entries are kept; a kind that is missing is kept for ever. */
  readonly keepSeconds: Readonly<Partial<Record<AuditKind, number>>>
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Default: once an hour. */
  readonly everyMs?: number
  readonly onError: (error: unknown) => void
}

/** Applies the retention of the audit now and then, until stopped. Never keeps the process alive. */
export function startRetention(options: RetentionOptions): { stop(): Promise<void> } {
  const { pool, keepSeconds, now, onError } = options
  let running: Promise<void> | undefined

  async function prune(): Promise<void> {
    for (const kind of ['access', 'admin'] as const) {
      const keep = keepSeconds[kind]
      if (keep === undefined) continue
      await pruneAudit({ pool, kind, keepSeconds: keep, nowMs: now() })
    }
  }
  const timer = setInterval(() => {
    running ??= prune()
      .catch(onError)
      .finally(() => {
        running = undefined
      })
  }, options.everyMs ?? 3_600_000)
  timer.unref()
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}
