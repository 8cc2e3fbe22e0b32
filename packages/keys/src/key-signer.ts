/** The only thing that leaves a key: signatures. The seam for keys that live elsewhere (PKCS#11, KMS). */
export interface KeySigner {
  readonly kid: string
  readonly alg: SignatureAlgorithm
  /** base64url of the SHA-1 and of the SHA-256 of the certificate's DER; missing without one. */
  readonly x5t?: string
  readonly x5tS256?: string
  /** The chain, leaf first: base64 (not base64url) DER. @see RFC 7515 §4.1.6 */
  readonly x5c?: readonly string[]
  /** Epoch seconds; when the certificate ends. */
  readonly notAfter?: number
  /** A JWS signature over exactly these bytes (ES: r and s joined). */
  sign(data: Uint8Array): Promise<Uint8Array>
}

export const SIGNATURE_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const

export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number]
