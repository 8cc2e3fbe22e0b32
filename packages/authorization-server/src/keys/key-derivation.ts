import { randomBytes } from 'node:crypto'
import type { AuthorizationServerDeps } from '../authorization-server-deps.ts'

/** Keys of this server, by their use. Where nobody signs in there is nothing that outlives this process. */
export function keyDerivation({
  deriveKey,
  signIn,
}: Pick<AuthorizationServerDeps, 'deriveKey' | 'signIn'>): (use: string) => Uint8Array {
  if (deriveKey !== undefined) return deriveKey
  if (signIn !== undefined) throw new TypeError('signIn needs deriveKey')
  return () => randomBytes(32)
}
