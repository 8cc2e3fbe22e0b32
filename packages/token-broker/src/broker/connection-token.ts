import { createHash } from 'node:crypto'
import type { ConnectionToken } from '@scopegate/oauth-model'
import { tokenHeaders } from '../authentication/token-headers.ts'
import type { TokenRecord } from '../store/token-store.ts'

/** What callers get. @param expiresAt epoch seconds by this process's clock */
export function connectionTokenOf(
  record: TokenRecord,
  expiresAt: number,
  nowMs: () => number,
): ConnectionToken {
  const { accessToken, type, scopes, warnings } = record
  return {
    ...{ accessToken, type, expiresAt, scopes, warnings },
    fingerprint: fingerprintOf(accessToken),
    headers: tokenHeaders(record, nowMs),
  }
}

/** First 16 bytes of the SHA-256, base64url. */
export function fingerprintOf(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url')
}
