import type { KeyObject, X509Certificate } from 'node:crypto'
import type { SignatureAlgorithm } from '../key-signer.ts'

/** A private key that was read and checked, with its certificate. Holds key objects, never their text. */
export interface KeyMaterial {
  /** What the reader was told to call it, such as the path of the file. */
  readonly name: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** `RSA 2048`, `EC P-256`, `Ed25519`: for people. */
  readonly description: string
  /** What it can sign with, the usual one first. */
  readonly algorithms: readonly SignatureAlgorithm[]
  /** Of a JWK that names itself. */
  readonly kid?: string
  readonly certificate?: KeyCertificate
}

export interface KeyCertificate {
  /** Leaf first, as far as the chain was given. */
  readonly chain: readonly X509Certificate[]
  readonly subject: string
  readonly issuer: string
  /** Epoch seconds. */
  readonly notBefore: number
  /** Epoch seconds. */
  readonly notAfter: number
  /** base64url of the SHA-1 of the leaf's DER, 27 characters. @see RFC 7515 §4.1.7 */
  readonly x5t: string
  /** base64url of the SHA-256 of the leaf's DER, 43 characters. @see RFC 7515 §4.1.8 */
  readonly x5tS256: string
  /** Base64 DER, leaf first. @see RFC 7515 §4.1.6 */
  readonly x5c: readonly string[]
}

/** A key or certificate that cannot be used: which, why, what to do. Never holds key material. */
export class KeyMaterialError extends Error {
  override readonly name = 'KeyMaterialError'
  /** Without the name of the file. */
  readonly problem: string
  readonly fix?: string

  constructor(where: string, problem: string, fix?: string, options?: ErrorOptions) {
    super(`\`${where}\`: ${problem}${fix === undefined ? '' : `; ${fix}`}`, options)
    this.problem = problem
    if (fix !== undefined) this.fix = fix
  }
}
