import { randomUUID } from 'node:crypto'
import type { ConnectionToken } from '@scopegate/oauth-model'
import type { FetchedToken } from '../token-request.ts'
import { dpopProof } from './dpop-proof.ts'

/**
 * `ConnectionToken.headers` of a token: `authorization`, and for a DPoP token a new proof each time.
 *
 * @see RFC 6750 §2.1, RFC 9449 §7.1
 */
export function tokenHeaders(
  token: Pick<FetchedToken, 'accessToken' | 'type' | 'dpopKey'>,
  nowMs: () => number,
): ConnectionToken['headers'] {
  return async ({ method, url, dpopNonce }) => {
    const { accessToken, type, dpopKey } = token
    const authorization = `${type} ${accessToken}`
    if (type !== 'DPoP' || dpopKey === undefined) return { authorization }
    const proof = dpopProof({
      key: dpopKey,
      method,
      url,
      nowMs: nowMs(),
      jti: randomUUID(),
      accessToken,
      ...(dpopNonce !== undefined && { nonce: dpopNonce }),
    })
    return { authorization, dpop: proof }
  }
}
