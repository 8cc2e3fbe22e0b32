import type { KeyObject } from 'node:crypto'
import type { SignatureAlgorithm } from '../key-signer.ts'
import { KeyMaterialError } from './key-material.ts'

const RSA = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const
const CURVES: Readonly<Record<string, readonly [string, SignatureAlgorithm]>> = {
  prime256v1: ['P-256', 'ES256'],
  secp384r1: ['P-384', 'ES384'],
  secp521r1: ['P-521', 'ES512'],
}
const MIN_RSA_BITS = 2048
// A signature with a longer one takes a tenth of a second and more.
const MAX_RSA_BITS = 8192

/** What kind of key it is, for people, and what it signs with. @throws {KeyMaterialError} */
export function keyKindOf(
  key: KeyObject,
  where: string,
): { readonly description: string; readonly algorithms: readonly SignatureAlgorithm[] } {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details = {} } = key
  switch (type) {
    case 'rsa': {
      const bits = details.modulusLength ?? 0
      if (bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS) {
        return { description: `RSA ${bits}`, algorithms: RSA }
      }
      throw new KeyMaterialError(
        where,
        `an RSA key of ${bits} bits; ${MIN_RSA_BITS} to ${MAX_RSA_BITS} are accepted (RFC 7518 §3.3)`,
        'make a new one: `scopegate key generate <name> --type rsa-2048`',
      )
    }
    case 'rsa-pss':
      throw new KeyMaterialError(
        where,
        'an RSA key marked for PSS only, which a JWK cannot express',
        'use an ordinary RSA key: it signs PS256 as well',
      )
    case 'ec': {
      const curve = CURVES[details.namedCurve ?? '']
      if (curve) return { description: `EC ${curve[0]}`, algorithms: [curve[1]] }
      throw new KeyMaterialError(
        where,
        `an EC key on the curve ${details.namedCurve ?? '(unnamed)'}`,
        'use P-256, P-384 or P-521',
      )
    }
    case 'ed25519':
      return { description: 'Ed25519', algorithms: ['EdDSA'] }
    default:
      throw new KeyMaterialError(
        where,
        `a key of type ${type ?? 'unknown'}, which cannot sign tokens`,
        'use RSA (2048 bits and more), EC (P-256, P-384, P-521) or Ed25519',
      )
  }
}
