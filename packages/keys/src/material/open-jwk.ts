import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from '../key-signer.ts'
import { KeyMaterialError } from './key-material.ts'
import { openPem } from './open-pem.ts'

/** A private JWK as read: the key, and what it says about itself. */
export interface OpenedJwk {
  readonly key: KeyObject
  readonly kid?: string
  readonly alg?: SignatureAlgorithm
  /** DER, leaf first. */
  readonly x5c: readonly Uint8Array[]
}

/**
 * A private JWK, a JWK Set of exactly one, or the key file of a Google service account.
 *
 * @throws {KeyMaterialError}
 * @see RFC 7517
 */
export function openJwk(text: string, where: string): OpenedJwk {
  const json = parse(text, where)
  if (json.type === 'service_account' && typeof json.private_key === 'string') {
    const kid = json.private_key_id
    return {
      key: openPem(json.private_key, where, undefined),
      ...(typeof kid === 'string' && kid !== '' ? { kid } : {}),
      x5c: [],
    }
  }
  const jwk = onlyKey(json, where)
  if (jwk.kty === 'oct') {
    throw new KeyMaterialError(where, 'is a shared secret (`kty` oct), not a private key')
  }
  if (typeof jwk.d !== 'string') {
    throw new KeyMaterialError(
      where,
      'is a public JWK: its private member `d` is missing',
      'give the private JWK',
    )
  }
  if (jwk.use !== undefined && jwk.use !== 'sig') {
    throw new KeyMaterialError(
      where,
      `the JWK is for \`use: ${String(jwk.use)}\``,
      'use one for signing',
    )
  }
  const { alg, kid, x5c } = jwk
  if (alg !== undefined && !SIGNATURE_ALGORITHMS.includes(alg as SignatureAlgorithm)) {
    throw new KeyMaterialError(where, `the JWK is for the algorithm \`${String(alg)}\``)
  }
  try {
    return {
      key: createPrivateKey({ key: jwk as JsonWebKey, format: 'jwk' }),
      ...(typeof kid === 'string' && kid !== '' ? { kid } : {}),
      ...(alg === undefined ? {} : { alg: alg as SignatureAlgorithm }),
      x5c: Array.isArray(x5c) ? x5c.map((one) => Buffer.from(String(one), 'base64')) : [],
    }
  } catch (cause) {
    throw new KeyMaterialError(
      where,
      'the JWK is not complete or not consistent',
      'RSA keys need n, e, d, p, q, dp, dq and qi; EC keys crv, x, y and d; Ed25519 crv, x and d',
      { cause },
    )
  }
}

function parse(text: string, where: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // The parser's message quotes the text, which is the key: not even as a cause.
  }
  throw new KeyMaterialError(where, 'begins like JSON, but is not a JWK', 'export it again')
}

function onlyKey(json: Record<string, unknown>, where: string): Record<string, unknown> {
  const { keys } = json
  if (!Array.isArray(keys)) return json
  if (keys.length === 1 && typeof keys[0] === 'object' && keys[0] !== null) return keys[0]
  throw new KeyMaterialError(
    where,
    `is a JWK Set of ${keys.length} keys`,
    'put the one to use into a file of its own',
  )
}
