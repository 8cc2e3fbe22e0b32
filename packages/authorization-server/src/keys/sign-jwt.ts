import { EngineSigningKey } from './engine-signing-key.ts'
import { ACCESS_TOKEN_ALGORITHM } from './generate-signing-key.ts'
import type { SigningKeys } from './signing-keys.ts'

/**
 * Signs with the key that access tokens are signed with now, so that the published key set verifies
 * it. @see RFC 7515 §3.1
 */
export function createSignJwt({ snapshot }: Pick<SigningKeys, 'snapshot'>) {
  let key: EngineSigningKey | undefined
  return async (claims: Readonly<Record<string, unknown>>, typ: string): Promise<string> => {
    const { current } = await snapshot()
    if (key?.kid !== current.kid) key = new EngineSigningKey(current)
    const header = { alg: ACCESS_TOKEN_ALGORITHM, kid: key.kid, typ }
    const input = `${encode(header)}.${encode(claims)}`
    return `${input}.${Buffer.from(key.sign(Buffer.from(input))).toString('base64url')}`
  }
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
