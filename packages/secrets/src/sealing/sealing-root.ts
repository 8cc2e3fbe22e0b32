import { createHmac, randomBytes } from 'node:crypto'
import type { MasterKey } from '../master-key.ts'

/** What derived keys come from: sealed in the database, so that it outlives every master key. */
export type SealingRoot = Uint8Array

export function createRoot(): SealingRoot {
  return randomBytes(32)
}

/**
 * The root of a database from before there was one: what HKDF extracts from the master key that
 * keys were derived from, so that they stay the same. It does not lead back to that key.
 *
 * @see RFC 5869 §2.2
 */
export function rootOfMasterKey({ key }: MasterKey): SealingRoot {
  return createHmac('sha256', Buffer.alloc(32)).update(key).digest()
}

/** 32 bytes for one use. @see RFC 5869 §2.3 */
export function deriveFromRoot(root: SealingRoot, use: string): Uint8Array {
  const derived = createHmac('sha256', root).update(`scopegate ${use}\u0001`).digest()
  return new Uint8Array(derived)
}
