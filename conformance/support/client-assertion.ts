import { createPrivateKey, randomUUID, sign } from 'node:crypto'
import type { LabKey } from '@scopegate/lab'

/** What differs from a good assertion; `undefined` leaves a member out. */
export interface AssertionWish {
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  /** Signs with another key than the one the header names. */
  readonly signWith?: LabKey
}

/**
 * A client assertion as Inferno builds it: five minutes, `typ: JWT`, a random `jti`.
 *
 * @see SMART App Launch 2.2, client-confidential-asymmetric
 */
export function clientAssertion(
  client: { readonly clientId: string; readonly key: LabKey },
  tokenUrl: string,
  { claims, header, signWith = client.key }: AssertionWish = {},
): string {
  const now = Math.floor(Date.now() / 1000)
  const signed = [
    { alg: client.key.alg, kid: client.key.kid, typ: 'JWT', ...header },
    {
      iss: client.clientId,
      sub: client.clientId,
      aud: tokenUrl,
      exp: now + 300,
      jti: randomUUID(),
      ...claims,
    },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  const key = createPrivateKey({ key: signWith as never, format: 'jwk' })
  const hash = `sha${signWith.alg.slice(2)}`
  const signature = sign(hash, Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' })
  return `${signed}.${signature.toString('base64url')}`
}

export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
