import { createHash, randomUUID } from 'node:crypto'
import { importJWK, SignJWT } from 'jose'
import type { DpopKey } from '../token-request.ts'

export type ProveDpop = (
  key: DpopKey,
  request: {
    readonly method: string
    readonly url: string
    readonly nonce?: string | undefined
    readonly accessToken: string
  },
) => Promise<string>

/** Proofs of possession for requests to resources. @see RFC 9449 §4.2 */
export function createDpopProver(nowMs: () => number): ProveDpop {
  return async (key, { method, url, nonce, accessToken }) => {
    const { origin, pathname } = new URL(url)
    const { d: _, ...publicKey } = key
    return new SignJWT({
      jti: randomUUID(),
      htm: method,
      htu: `${origin}${pathname}`,
      ath: createHash('sha256').update(accessToken).digest('base64url'),
      ...(nonce !== undefined && { nonce }),
    })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: publicKey })
      .setIssuedAt(Math.floor(nowMs() / 1000))
      .sign(await importJWK(key, 'ES256'))
  }
}
