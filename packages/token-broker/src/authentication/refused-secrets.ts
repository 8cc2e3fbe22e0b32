import { createHash } from 'node:crypto'
import type { ClientAttempt } from './client-attempts.ts'

/** A secret that was refused, while another works, is tried again after this. */
const REST_MS = 3_600_000
const MAX_REMEMBERED = 1000

/** Which secrets were refused lately, so that not every token request is a failed login as well. */
export interface RefusedSecrets {
  /** Those that are worth an attempt first; the others after them. */
  order(connection: string, attempts: readonly ClientAttempt[]): readonly ClientAttempt[]
  /** Whether another attempt makes sense after this one was refused. */
  note(connection: string, attempt: ClientAttempt): void
  forget(connection: string, attempt: ClientAttempt): void
}

export function createRefusedSecrets(nowMs: () => number): RefusedSecrets {
  const refusedAtMs = new Map<string, number>()

  function isResting(connection: string, attempt: ClientAttempt): boolean {
    const at = refusedAtMs.get(keyOf(connection, attempt))
    return at !== undefined && Math.abs(nowMs() - at) < REST_MS
  }

  return {
    order(connection, attempts) {
      const awake = attempts.filter((each) => !isResting(connection, each))
      // All refused: the newest is as good as any.
      return awake.length === 0 ? attempts.slice(0, 1) : awake
    },
    note(connection, attempt) {
      const [oldest] = refusedAtMs.keys()
      if (refusedAtMs.size >= MAX_REMEMBERED && oldest !== undefined) refusedAtMs.delete(oldest)
      refusedAtMs.set(keyOf(connection, attempt), nowMs())
    },
    forget(connection, attempt) {
      refusedAtMs.delete(keyOf(connection, attempt))
    },
  }
}

function keyOf(connection: string, { method, secret = '' }: ClientAttempt): string {
  return createHash('sha256')
    .update(JSON.stringify([connection, method, secret]))
    .digest('base64url')
}
