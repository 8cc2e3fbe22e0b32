import { SECRET_REFERENCE } from '@scopegate/secrets'
import type { CredentialsPresent, WrittenConnection } from '@scopegate/token-broker'
import type { z } from 'zod'
import type { connection } from './settings/connection.ts'

type Written = z.infer<typeof connection>

/** The settings as the token broker takes them; secrets are left out. */
export function writtenConnection(
  settings: Written,
  clientId = settings.clientId,
): WrittenConnection {
  const { proxy, ...rest } = settings
  return {
    ...rest,
    clientId: clientId ?? '',
    // A reference is read elsewhere.
    ...(isReference(proxy) ? {} : { proxy }),
  }
}

/** Which proofs the settings name. */
export function credentialsWritten({
  authentication,
  exchange,
  refreshToken,
}: Written): CredentialsPresent {
  const { secrets, key, privateKey, serviceAccount, certificate } = authentication
  return {
    secrets: secrets !== undefined,
    key: (key ?? privateKey ?? serviceAccount) !== undefined,
    certificate: (key ?? certificate) !== undefined,
    tlsCertificate: privateKey !== undefined && certificate !== undefined,
    subjectToken: exchange !== undefined,
    refreshToken: refreshToken !== undefined,
  }
}

export function isReference(text: string): boolean {
  return SECRET_REFERENCE.test(text)
}
