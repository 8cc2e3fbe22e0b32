import { createHash, createPrivateKey, randomUUID, sign } from 'node:crypto'
import { type LabKey, publicJwk } from '@scopegate/lab'

export interface ProofWish {
  /** The access token that it goes with: its hash becomes `ath`. */
  readonly token?: string
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  /** Another key than the one that it names. */
  readonly signWith?: LabKey
}

/** A DPoP proof. @see RFC 9449 §4.2 */
export function dpopProof(key: LabKey, htm: string, htu: string, wish: ProofWish = {}): string {
  const { kid: _, alg: __, use: ___, ...jwk } = publicJwk(key) as Record<string, unknown>
  const { token } = wish
  const ath = token && createHash('sha256').update(token).digest('base64url')
  const iat = Math.floor(Date.now() / 1000)
  const signed = [
    { typ: 'dpop+jwt', alg: key.alg, jwk, ...wish.header },
    { jti: randomUUID(), htm, htu, iat, ...(ath !== undefined && { ath }), ...wish.claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const privateKey = createPrivateKey({ key: (wish.signWith ?? key) as never, format: 'jwk' })
  const signature = sign('sha256', Buffer.from(signed), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return `${signed}.${signature.toString('base64url')}`
}
