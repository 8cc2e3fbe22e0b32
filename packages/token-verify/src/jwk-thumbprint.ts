import { hash } from 'node:crypto'

const MEMBERS: Readonly<Record<string, readonly string[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
}

/** The SHA-256 thumbprint of a public key; `undefined` if it is none. @see RFC 7638 §3 */
export function jwkThumbprint(jwk: Readonly<Record<string, unknown>>): string | undefined {
  const members = typeof jwk.kty === 'string' ? MEMBERS[jwk.kty] : undefined
  if (members === undefined || !members.every((name) => typeof jwk[name] === 'string')) {
    return undefined
  }
  const required = Object.fromEntries(members.map((name) => [name, jwk[name]]))
  return hash('sha256', JSON.stringify(required), 'base64url')
}
