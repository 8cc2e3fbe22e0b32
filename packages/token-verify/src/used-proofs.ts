import { hash } from 'node:crypto'

/** Remembers proofs, so that each works once. */
export interface UsedProofs {
  /** Marks it used, for `keepSeconds` at least; `false` if it was used before. */
  consume(id: string, keepSeconds: number): boolean | Promise<boolean>
}

/**
 * In the memory of this process. Another process does not know of it: there a proof works once more,
 * within its short life, on the same method, address and token. Where that matters, require nonces,
 * or keep them in a store that all share.
 *
 * @see RFC 9449 §11.1
 */
export function createUsedProofs(nowMs: () => number): UsedProofs {
  // Two generations: what is older than one full turn of them has expired.
  let young = new Set<string>()
  let old = new Set<string>()
  let turnedAtMs = Number.NEGATIVE_INFINITY

  return {
    consume(id, keepSeconds) {
      const now = nowMs()
      if (now - turnedAtMs >= keepSeconds * 1000) {
        old = now - turnedAtMs >= 2 * keepSeconds * 1000 ? new Set() : young
        young = new Set()
        turnedAtMs = now
      }
      // A client may choose long ones.
      const key = hash('sha256', id, 'base64url').slice(0, 22)
      if (young.has(key) || old.has(key)) return false
      young.add(key)
      return true
    },
  }
}
