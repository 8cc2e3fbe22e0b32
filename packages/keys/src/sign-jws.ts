import type { KeySigner } from './key-signer.ts'

/**
 * A compact JWS over the claims. `alg` and `kid` come from the signer and cannot be set otherwise;
 * `typ` is `JWT` unless the header says another; members that are `undefined` are left out.
 *
 * @see [RFC 7515 §3.1](https://www.rfc-editor.org/rfc/rfc7515.html#section-3.1)
 */
export async function signJws(
  signer: Pick<KeySigner, 'alg' | 'kid' | 'sign'>,
  header: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
): Promise<string> {
  const input = `${encode({ typ: 'JWT', ...header, alg: signer.alg, kid: signer.kid })}.${encode(claims)}`
  const signature = await signer.sign(Buffer.from(input))
  return `${input}.${Buffer.from(signature).toString('base64url')}`
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
