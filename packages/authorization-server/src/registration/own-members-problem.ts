import type { Client } from '../clients/client.ts'
import { matchSecret } from '../clients/client-secret.ts'

/** What a client must, may and must not send of itself in an update. @see RFC 7592 §2.2 */
export function ownMembersProblem(
  metadata: Readonly<Record<string, unknown>>,
  client: Client,
  nowMs: number,
): string | undefined {
  const sent = [
    'registration_access_token',
    'registration_client_uri',
    'client_secret_expires_at',
    'client_id_issued_at',
  ].find((name) => metadata[name] !== undefined)
  if (sent !== undefined) return `${sent}: must not be sent`
  if (metadata.client_id !== client.id) return 'client_id: must be sent, as it is'
  const { client_secret: secret } = metadata
  if (secret === undefined) return undefined
  const now = Math.floor(nowMs / 1000)
  return typeof secret === 'string' && matchSecret(secret, client.secrets, now) === 'match'
    ? undefined
    : 'client_secret: is not the one of the client; leave it out'
}
