import type { AdminAudit } from '@scopegate/audit'
import { newCorrelationId } from '@scopegate/http'
import type { SealingEvent } from '@scopegate/secrets'
import type { Logger } from './logger.ts'

export interface RekeyRecorder {
  readonly adminAudit: Pick<AdminAudit, 'record'>
  readonly log: Logger
  readonly issuer: string
  readonly nowMs: () => number
}

/** A change of the master key that began or ended: a row, and a line in the log. Ids, no keys. */
export function recordRekey(
  { kind, current, former }: SealingEvent,
  { adminAudit, log, issuer, nowMs }: RekeyRecorder,
): void {
  log.info({ current, former }, kind === 'began' ? 're-keying began' : 're-keying finished')
  const atMs = nowMs()
  adminAudit
    .record({
      atMs,
      correlationId: newCorrelationId(atMs),
      issuer,
      action: `secret.rekey.${kind}`,
      target: `master-key/${current}`,
      decision: 'permitted',
      status: 200,
      detail: { former },
    })
    ?.catch((error) => log.error({ error }, 'audit failed'))
}
