import {
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  sign,
} from 'node:crypto'
import { ExternalSigningKey } from 'oidc-provider'

/**
 * The signing key for the engine. Signed in place, since the engine's own way hands every token to
 * a thread and back; and in DER, since asking OpenSSL for the other form, or Node for it by way of
 * options, takes as long again as the signature itself. The private part is handed to nothing.
 */
export class EngineSigningKey extends ExternalSigningKey {
  readonly #kid: string
  readonly #alg: string
  readonly #private: KeyObject
  readonly #public: KeyObject

  /** @param jwk A private key: P-256 for ES256, RSA for RS256. */
  constructor(jwk: JsonWebKey & { readonly kid: string }) {
    super()
    this.#kid = jwk.kid
    this.#alg = jwk.kty === 'RSA' ? 'RS256' : 'ES256'
    this.#private = createPrivateKey({ key: jwk, format: 'jwk' })
    this.#public = createPublicKey(this.#private)
  }

  override get kid(): string {
    return this.#kid
  }

  override get alg(): string {
    return this.#alg
  }

  override keyObject(): KeyObject {
    return this.#public
  }

  /** @see RFC 7518 §3.3, §3.4 */
  override sign(data: Uint8Array): Uint8Array {
    const signature = sign('sha256', data, this.#private)
    return this.#alg === 'ES256' ? joseSignature(signature) : signature
  }
}

const HALF = 32

/** r and s of 32 bytes side by side, from `SEQUENCE { INTEGER r, INTEGER s }` of P-256. */
function joseSignature(der: Uint8Array): Uint8Array {
  const out = new Uint8Array(2 * HALF)
  // Under 128 bytes, so that every length is one byte: 30 len 02 len r 02 len s.
  const lengthOfR = der[3] ?? 0
  put(der.subarray(4, 4 + lengthOfR), out, HALF)
  put(der.subarray(6 + lengthOfR), out, 2 * HALF)
  return out
}

/** A DER integer has no leading zeros but one before a high bit; here it fills its half. */
function put(integer: Uint8Array, out: Uint8Array, end: number): void {
  const digits = integer.length > HALF ? integer.subarray(integer.length - HALF) : integer
  out.set(digits, end - digits.length)
}
