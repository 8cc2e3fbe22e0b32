import { type KeyMaterial, KeyMaterialError, readKeyMaterial } from '@scopegate/keys'
import type { Path } from './read-yaml.ts'
import type { ReferenceReader } from './reference-reader.ts'
import type { Secret } from './secret.ts'

export interface ServiceAccount {
  readonly clientEmail: string
  readonly key: KeyMaterial
  readonly tokenEndpoint?: string
}

/**
 * The key file of a Google service account. What is wrong with it is reported, without its content.
 *
 * @see https://cloud.google.com/iam/docs/keys-create-delete
 */
export function readServiceAccount(
  path: Path,
  secret: Secret,
  reader: ReferenceReader,
): ServiceAccount | undefined {
  const text = secret.reveal()
  // That it does not resolve is reported already.
  if (text === '') return undefined
  const account = parse(text)
  const { client_email: clientEmail, private_key: privateKey } = account ?? {}
  if (typeof clientEmail !== 'string' || typeof privateKey !== 'string') {
    reader.complain(path, `${secret.reference} is not the key file of a service account`, {
      fix: 'download it as JSON: it has `client_email` and `private_key`',
    })
    return undefined
  }
  try {
    const { private_key_id: kid, token_uri: tokenEndpoint } = account ?? {}
    const key = readKeyMaterial({ text: privateKey, name: secret.reference })
    return {
      clientEmail,
      key: typeof kid === 'string' ? { ...key, kid } : key,
      ...(typeof tokenEndpoint === 'string' && { tokenEndpoint }),
    }
  } catch (error) {
    if (!(error instanceof KeyMaterialError)) throw error
    reader.complain(path, `${secret.reference}: ${error.problem}`, {
      fix: error.fix ?? 'make another key for the account',
    })
    return undefined
  }
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}
