import { verifyAudit } from '@scopegate/audit'
import type { Storage } from '@scopegate/storage'

/** Both records as one answer: intact only when each is. */
export async function verifyAudits(pool: Storage['pool'], chainKey: Uint8Array) {
  const found = [
    await verifyAudit({ pool, kind: 'access', chainKey }),
    await verifyAudit({ pool, kind: 'admin', chainKey }),
  ]
  const problem = found.find(({ intact }) => !intact)?.problem
  return {
    intact: found.every(({ intact }) => intact),
    entries: found.reduce((sum, { entries }) => sum + entries, 0),
    ...(problem !== undefined && { problem }),
  }
}
