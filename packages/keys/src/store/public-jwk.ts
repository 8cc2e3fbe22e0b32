import { keyThumbprint } from '../create-key-signer.ts'
import type { SignatureAlgorithm } from '../key-signer.ts'
import type { KeyMaterial } from '../material/key-material.ts'
import type { KeySetView, PublicJwk } from './key-set.ts'

/** The public members only: built from the public key, so that nothing private can come along. */
export function publicJwkOf(material: KeyMaterial, kid = kidOf(material)): PublicJwk {
  const { kty, crv, x, y, n, e } = material.publicKey.export({ format: 'jwk' })
  const members = Object.entries({ kty, crv, x, y, n, e }).filter(
    ([, value]) => value !== undefined,
  )
  return { ...Object.fromEntries(members), kid, use: 'sig' }
}

export function kidOf(material: KeyMaterial): string {
  return material.kid ?? keyThumbprint(material.publicKey)
}

/**
 * The key set that verifiers read. `alg` is there where the keys sign with one only: RFC 7517 §4.4
 * knows no list. Keys with a certificate come with their chain.
 */
export function jwksOf({ keys, algorithms }: KeySetView): { readonly keys: readonly PublicJwk[] } {
  return {
    keys: keys.map(({ publicJwk, certificate }) => ({
      ...publicJwk,
      ...algMember(algorithms),
      ...(certificate === undefined
        ? {}
        : {
            'x5t#S256': certificate.x5tS256,
            x5c: x5cOf(certificate.pem),
          }),
    })),
  }
}

function algMember([only, ...others]: readonly SignatureAlgorithm[]) {
  return only === undefined || others.length > 0 ? {} : { alg: only }
}

function x5cOf(pem: string): readonly string[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]+?)-----END/g)].map(([, body = '']) =>
    body.replaceAll(/\s/g, ''),
  )
}
