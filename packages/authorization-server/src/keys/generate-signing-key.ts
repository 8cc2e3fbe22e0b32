import { createHash, generateKeyPair, type JsonWebKey } from 'node:crypto'
import { promisify } from 'node:util'

/**
 * Access tokens are signed with ES256: signing costs a fifth of RS256, and what makes its
 * verification dearer does not count, since every endpoint remembers the tokens it has verified.
 */
export const ACCESS_TOKEN_ALGORITHM = 'ES256'

/** @see SMART 2.2: ID tokens are signed with RS256 */
export const ID_TOKEN_ALGORITHM = 'RS256'

export type SigningAlgorithm = typeof ACCESS_TOKEN_ALGORITHM | typeof ID_TOKEN_ALGORITHM
export type SigningKey = JsonWebKey & { readonly kid: string; readonly alg: SigningAlgorithm }

const generate = promisify(generateKeyPair)

/** A new key, private and public. @see RFC 7638 for the `kid` */
export async function generateSigningKey(alg: SigningAlgorithm) {
  const { privateKey } =
    alg === ACCESS_TOKEN_ALGORITHM
      ? await generate('ec', { namedCurve: 'P-256' })
      : await generate('rsa', { modulusLength: 2048 })
  const jwk = privateKey.export({ format: 'jwk' })
  const { kty, crv, x, y, n, e } = jwk
  const members = alg === ACCESS_TOKEN_ALGORITHM ? { crv, kty, x, y } : { e, kty, n }
  const kid = createHash('sha256').update(JSON.stringify(members)).digest('base64url')
  const publicJwk = { ...members, kid, alg, use: 'sig' }
  return { publicJwk, privateJwk: { ...jwk, kid, alg, use: 'sig' } }
}
