import { constants, createHash, type KeyObject, type SignKeyObjectInput, sign } from 'node:crypto'
import type { KeySigner, SignatureAlgorithm } from './key-signer.ts'
import { type KeyMaterial, KeyMaterialError } from './material/key-material.ts'

export interface KeySignerOptions {
  /** Default: the usual one of the key (RS256, ES256 … by its size). */
  readonly alg?: SignatureAlgorithm
  /** Default: that of the JWK, else the RFC 7638 thumbprint of the public key. */
  readonly kid?: string
}

/**
 * A signer from a key in memory. Signatures that take long run in Node's thread pool.
 *
 * @throws {KeyMaterialError} if the key cannot sign with `alg`
 */
export function createKeySigner(material: KeyMaterial, options: KeySignerOptions = {}): KeySigner {
  const { privateKey, algorithms, certificate, name, description } = material
  const alg = options.alg ?? algorithms[0]
  if (alg === undefined || !algorithms.includes(alg)) {
    throw new KeyMaterialError(
      name,
      `${description} cannot sign with ${alg}`,
      `use one of ${algorithms.join(', ')}`,
    )
  }
  const how = signatureInput(privateKey, alg)
  const digest = alg === 'EdDSA' ? null : `sha${alg.slice(2)}`
  return {
    kid: options.kid ?? material.kid ?? keyThumbprint(material.publicKey),
    alg,
    ...(certificate === undefined
      ? {}
      : {
          x5t: certificate.x5t,
          x5tS256: certificate.x5tS256,
          x5c: certificate.x5c,
          notAfter: certificate.notAfter,
        }),
    sign: isQuick(privateKey)
      ? async (data) => sign(digest, data, how)
      : (data) =>
          new Promise((resolve, reject) => {
            sign(digest, data, how, (error, signature) =>
              error === null ? resolve(signature) : reject(error),
            )
          }),
  }
}

/** Whether handing it to another thread takes longer than the signature, a thirtieth of a millisecond. */
function isQuick({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  return asymmetricKeyType === 'ed25519' || asymmetricKeyDetails?.namedCurve === 'prime256v1'
}

/** @see [RFC 7518 §3](https://www.rfc-editor.org/rfc/rfc7518.html#section-3) */
function signatureInput(key: KeyObject, alg: SignatureAlgorithm): KeyObject | SignKeyObjectInput {
  if (alg.startsWith('PS')) {
    return {
      key,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    }
  }
  // PKCS #1 is what Node takes for RSA. A key without options is prepared in a third of the time.
  if (alg.startsWith('RS')) return key
  return { key, dsaEncoding: 'ieee-p1363' }
}

const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  RSA: ['e', 'kty', 'n'],
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
}

/**
 * base64url SHA-256 of the public key's required members: names a key the same everywhere.
 *
 * @see [RFC 7638](https://www.rfc-editor.org/rfc/rfc7638.html)
 */
export function keyThumbprint(publicKey: KeyObject): string {
  const jwk = publicKey.export({ format: 'jwk' }) as Readonly<Record<string, unknown>>
  const members = (MEMBERS[String(jwk.kty)] ?? []).map((name) => [name, jwk[name]])
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(members)))
    .digest('base64url')
}
