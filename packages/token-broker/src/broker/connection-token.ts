import { createHash } from 'node:crypto'
import type { ConnectionToken } from '@scopegate/oauth-model'
import type { TokenRecord } from '../store/token-store.ts'
import type { ProveDpop } from './prove-dpop.ts'

/** What callers get. @param expiresAt epoch seconds by this process's clock */
export function connectionTokenOf(
  record: TokenRecord,
  expiresAt: number,
  proveDpop: ProveDpop,
): ConnectionToken {
  const { accessToken, type, scopes, warnings, dpopKey } = record
  return {
    ...{ accessToken, type, expiresAt, scopes, warnings },
    fingerprint: fingerprintOf(accessToken),
    async headers({ method, url, dpopNonce }) {
      const authorization = `${type} ${accessToken}`
      if (type !== 'DPoP' || dpopKey === undefined) return { authorization }
      const proof = await proveDpop(dpopKey, { method, url, nonce: dpopNonce, accessToken })
      return { authorization, dpop: proof }
    },
  }
}

/** First 16 bytes of the SHA-256, base64url. */
export function fingerprintOf(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url')
}
