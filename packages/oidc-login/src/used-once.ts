/**
 * Remembers an id until its time is over; `false` when it was known. Several processes need one that
 * they share (one atomic INSERT); see {@link createUsedOnce} for a single one.
 *
 * @param expiresAt Epoch seconds.
 */
export type UseOnce = (id: string, expiresAt: number) => Promise<boolean>

const MOST = 100_000

/** In memory, bounded: the oldest go first. The provider's codes work once on their own as well. */
export function createUsedOnce(nowMs: () => number): UseOnce {
  const used = new Map<string, number>()
  return async (id, expiresAt) => {
    const now = nowMs() / 1000
    for (const [known, until] of used) {
      if (until > now && used.size < MOST) break
      used.delete(known)
    }
    if (used.has(id)) return false
    used.set(id, expiresAt)
    return true
  }
}
