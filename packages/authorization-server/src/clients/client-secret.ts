import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { ClientSecret } from './client.ts'

/** Shorter declared secrets are refused: they are stored under a fast hash. */
export const MIN_SECRET_CHARACTERS = 16

/**
 * A new secret: 256 random bits behind a prefix that secret scanners can find. Only characters
 * that need no encoding anywhere, since many libraries do not form-encode Basic credentials.
 */
export function generateSecret(): string {
  return `sgs_${randomBytes(32).toString('base64url')}`
}

/**
 * SHA-256, without salt or stretching: secrets are random and long, so there is nothing to guess
 * faster, and a token request costs microseconds.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}

/** Whether `presented` is one of the secrets, in a time that tells nothing of them. */
export function matchSecret(
  presented: string,
  secrets: readonly ClientSecret[],
  now: number,
): 'match' | 'expired' | 'none' {
  const hash = Buffer.from(hashSecret(presented))
  let found: 'match' | 'expired' | 'none' = 'none'
  for (const secret of secrets) {
    const candidate = Buffer.from(secret.hash)
    if (candidate.length !== hash.length || !timingSafeEqual(candidate, hash)) continue
    const isOver = secret.expiresAt !== undefined && secret.expiresAt <= now
    if (!isOver) found = 'match'
    else if (found === 'none') found = 'expired'
  }
  return found
}
