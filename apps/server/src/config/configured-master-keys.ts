import { MasterKeyError, masterKeysFromText } from '@scopegate/secrets'
import type { ReferenceReader } from './reference-reader.ts'
import type { Secret } from './secret.ts'
import type { Settings } from './settings.ts'

/** The master keys that are referred to, newest first; `undefined` where a file holds them. */
export function configuredMasterKeys(
  settings: Settings,
  reader: ReferenceReader,
): readonly Secret[] | undefined {
  const { masterKey } = settings.secrets
  if (masterKey === undefined) return undefined
  const path = ['secrets', 'masterKey']
  const secrets =
    typeof masterKey === 'string'
      ? [reader.secret(path, masterKey)]
      : reader.secrets(path, masterKey)
  for (const [index, secret] of secrets.entries()) {
    if (secret.reveal() === '') continue
    try {
      masterKeysFromText(secret.reveal())
    } catch (error) {
      if (!(error instanceof MasterKeyError)) throw error
      reader.complain(typeof masterKey === 'string' ? path : [...path, index], error.message, {
        fix: 'refer to 32 random bytes in base64, or to a master key file',
      })
    }
  }
  return secrets
}
