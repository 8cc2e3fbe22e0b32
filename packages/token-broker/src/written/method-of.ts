import type { AuthenticationMethod } from '../presets/preset.ts'
import { presetOf } from './resolve-addresses.ts'
import type { CredentialsPresent, WrittenConnection } from './written-connection.ts'

/** How the client authenticates: as written, or by what there is and by preset. */
export function methodOf(
  written: WrittenConnection,
  present: CredentialsPresent,
): AuthenticationMethod {
  const { grant = presetOf(written).grant } = written
  if (written.authentication?.method !== undefined) return written.authentication.method
  if (present.secrets) return presetOf(written).secretMethod
  // There the key signs the grant itself.
  if (present.key && grant !== 'jwt_bearer') return 'private_key_jwt'
  return 'none'
}
