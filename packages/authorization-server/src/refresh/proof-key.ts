import { createHash, type JsonWebKey } from 'node:crypto'

const MEMBERS: Readonly<Record<string, readonly (keyof JsonWebKey)[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
}

/**
 * The thumbprint of the key in a DPoP proof, which was verified before; `undefined` without one.
 *
 * @see RFC 7638 §3
 */
export function proofKey(proof: string | undefined): string | undefined {
  const [header] = proof?.split('.', 1) ?? []
  if (header === undefined || header === '') return undefined
  try {
    const { jwk } = JSON.parse(Buffer.from(header, 'base64url').toString('utf8')) as {
      jwk: JsonWebKey
    }
    const members = MEMBERS[jwk.kty ?? '']
    if (members === undefined) return undefined
    const canonical = JSON.stringify(Object.fromEntries(members.map((name) => [name, jwk[name]])))
    return createHash('sha256').update(canonical).digest('base64url')
  } catch {
    return undefined
  }
}
