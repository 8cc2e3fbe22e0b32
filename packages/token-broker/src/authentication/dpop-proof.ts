import { createHash, createPrivateKey, generateKeyPair, sign } from 'node:crypto'
import { promisify } from 'node:util'
import type { DpopKey } from '../token-request.ts'

/** A new key for a token, or for all that one refresh token leads to. */
export async function generateDpopKey(): Promise<DpopKey> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  const { x = '', y = '', d = '' } = privateKey.export({ format: 'jwk' })
  return { kty: 'EC', crv: 'P-256', x, y, d }
}

export interface ProofInput {
  readonly key: DpopKey
  readonly method: string
  /** Query and fragment are left out of the proof. */
  readonly url: string
  readonly nowMs: number
  readonly jti: string
  readonly nonce?: string
  /** At a resource: the token that the proof belongs to. */
  readonly accessToken?: string
}

/** @see RFC 9449 §4.2 */
export function dpopProof(input: ProofInput): string {
  const { key } = input
  const url = new URL(input.url)
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: publicPart(key) }
  const claims = {
    jti: input.jti,
    htm: input.method,
    htu: `${url.origin}${url.pathname}`,
    iat: Math.floor(input.nowMs / 1000),
    ...(input.nonce !== undefined && { nonce: input.nonce }),
    ...(input.accessToken !== undefined && {
      ath: createHash('sha256').update(input.accessToken).digest('base64url'),
    }),
  }
  const signed = `${encode(header)}.${encode(claims)}`
  const privateKey = createPrivateKey({ key: { ...key }, format: 'jwk' })
  const signature = sign('sha256', Buffer.from(signed), {
    key: privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return `${signed}.${signature.toString('base64url')}`
}

/** `jkt` of the key: tells whether a token is bound to it. @see RFC 7638 §3 */
export function dpopThumbprint(key: DpopKey): string {
  const { crv, kty, x, y } = key
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
}

function publicPart({ kty, crv, x, y }: DpopKey) {
  return { kty, crv, x, y }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
