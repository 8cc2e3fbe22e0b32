import type { RegistrationPolicy } from '@scopegate/oauth-model'
import type { ClientBase, Pool } from 'pg'

/** What a dynamic client may change of itself, and how it wants to authenticate. */
export interface StoredPolicy extends RegistrationPolicy {
  readonly authMethod: string
}

interface Registered {
  readonly clientId: string
  readonly policy: StoredPolicy
}

/** Keeps who may manage the registration of a client. */
export function insertRegistration(
  sql: ClientBase,
  registration: Registered & { readonly tokenId: string; readonly hash: Buffer },
) {
  const { clientId, tokenId, hash, policy } = registration
  return sql.query(
    'INSERT INTO client_registration (client_id, token_id, hash, policy) VALUES ($1, $2, $3, $4)',
    [clientId, tokenId, hash, JSON.stringify(policy)],
  )
}

/** The policy of a client, if the hash is of its registration access token. */
export async function findRegistration(
  pool: Pool,
  clientId: string,
  hash: Buffer,
): Promise<StoredPolicy | undefined> {
  const { rows } = await pool.query<{ policy: StoredPolicy }>(
    `SELECT policy FROM client_registration
       JOIN client ON client.id = client_registration.client_id
      WHERE client_id = $1 AND client_registration.hash = $2 AND source = 'dynamic'`,
    [clientId, hash],
  )
  return rows[0]?.policy
}

export function updatePolicy(sql: ClientBase, clientId: string, policy: StoredPolicy) {
  return sql.query('UPDATE client_registration SET policy = $2 WHERE client_id = $1', [
    clientId,
    JSON.stringify(policy),
  ])
}
