import { createSharedUseOnce } from '@scopegate/oidc-login'
import type { Storage } from '@scopegate/storage'
import { createUsedProofs, type UsedProofs } from '@scopegate/token-verify'

/**
 * Proofs of possession work once in all processes of an installation. What this process has seen is
 * refused without asking; the rest is one statement at the database, for requests with a proof only.
 *
 * @see RFC 9449 §11.1
 */
export function createSharedUsedProofs(pool: Storage['pool'], nowMs: () => number): UsedProofs {
  const seenHere = createUsedProofs(nowMs)
  const useOnce = createSharedUseOnce(pool)
  return {
    async consume(id, keepSeconds) {
      if (!(await seenHere.consume(id, keepSeconds))) return false
      return useOnce(`dpop ${id}`, Math.ceil(nowMs() / 1000) + keepSeconds)
    },
  }
}
