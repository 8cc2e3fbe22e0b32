import { createHash, randomBytes } from 'node:crypto'
import type { Pool } from 'pg'

const LIFETIME_MS = 300_000

interface Bound {
  readonly purpose: 'register' | 'sign-in'
  /** Missing: whoever has the passkey. */
  readonly userId: string | undefined
}

/** A challenge that is good once, for one purpose and one user. Only its hash is stored. */
export async function issueChallenge(
  pool: Pool,
  { purpose, userId }: Bound,
  nowMs: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const challenge = new Uint8Array(randomBytes(32))
  await pool.query(
    `INSERT INTO identity_passkey_challenge (hash, purpose, user_id, expires_ms)
     VALUES ($1, $2, $3, $4)`,
    [
      hashOf(Buffer.from(challenge).toString('base64url')),
      purpose,
      userId ?? null,
      nowMs + LIFETIME_MS,
    ],
  )
  return challenge
}

/**
 * The challenge that a browser's answer holds, if it is one of ours and not used yet: it is used now.
 */
export async function consumeChallenge(
  pool: Pool,
  response: unknown,
  { purpose, userId }: Bound,
  nowMs: number,
): Promise<string | undefined> {
  const challenge = challengeOf(response)
  if (challenge === undefined) return undefined
  const { rowCount } = await pool.query(
    `DELETE FROM identity_passkey_challenge
      WHERE hash = $1 AND purpose = $2 AND user_id IS NOT DISTINCT FROM $3 AND expires_ms > $4`,
    [hashOf(challenge), purpose, userId ?? null, nowMs],
  )
  return rowCount === 1 ? challenge : undefined
}

/** @see Web Authentication Level 3 §5.8.1 */
function challengeOf(response: unknown): string | undefined {
  const data = (response as { response?: { clientDataJSON?: unknown } } | null)?.response
  if (typeof data?.clientDataJSON !== 'string') return undefined
  try {
    const { challenge } = JSON.parse(Buffer.from(data.clientDataJSON, 'base64url').toString())
    return typeof challenge === 'string' ? challenge : undefined
  } catch {
    return undefined
  }
}

function hashOf(challenge: string): Buffer {
  return createHash('sha256').update(challenge).digest()
}
