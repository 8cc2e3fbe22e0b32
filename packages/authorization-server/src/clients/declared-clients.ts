import type { ClientRegistration } from '@scopegate/oauth-model'
import type { NetworkPolicy } from '@scopegate/token-verify'
import type { PoolClient } from 'pg'
import {
  type CheckedRegistration,
  checkRegistration,
  RegistrationRefused,
} from './check-registration.ts'
import { idProblems } from './client-id.ts'
import { hashSecret, MIN_SECRET_CHARACTERS } from './client-secret.ts'
import { insertClient, insertSecret } from './client-store.ts'
import { needsSecret } from './needs-secret.ts'

/** A client of the configuration. */
export interface DeclaredClient extends ClientRegistration {
  readonly id: string
  /** Each lets it in; none for one that is public or signs. */
  readonly secrets?: readonly string[]
}

/**
 * Makes the clients of the configuration exist as they are declared, and removes those that are no
 * longer. @returns the ids of those. @throws {RegistrationRefused}
 */
export async function declareClients(
  clients: readonly DeclaredClient[],
  deps: {
    readonly transaction: <T>(work: (sql: PoolClient) => Promise<T>) => Promise<T>
    readonly network: NetworkPolicy
    readonly apiScopes?: readonly string[]
  },
): Promise<readonly string[]> {
  const checked = clients.map((client) => ({
    client,
    registration: checkDeclared(client, deps.network, deps.apiScopes),
  }))
  return deps.transaction(async (sql) => {
    // Two processes with one configuration start at the same moment.
    await sql.query(`SELECT pg_advisory_xact_lock(hashtext('scopegate.declared-clients'))`)
    const { rows } = await sql.query<{ id: string }>(
      `DELETE FROM client WHERE source = 'config' AND NOT id = ANY($1) RETURNING id`,
      [clients.map(({ id }) => id)],
    )
    for (const { client, registration } of checked) await declareOne(sql, client, registration)
    return rows.map(({ id }) => id)
  })
}

async function declareOne(
  sql: PoolClient,
  { id, secrets = [] }: DeclaredClient,
  registration: CheckedRegistration,
): Promise<void> {
  const { rowCount } = await insertClient(sql, id, 'config', registration)
  if (rowCount !== 1) {
    throw new RegistrationRefused([
      {
        member: `clients.${id}`,
        why: 'a client with this id was added at run time',
        fix: `choose another id, or remove that one with \`scopegate client remove ${id}\``,
      },
    ])
  }
  const hashes = secrets.map(hashSecret)
  await sql.query(
    `DELETE FROM client_secret WHERE client_id = $1 AND NOT encode(hash, 'base64') = ANY($2)`,
    [id, hashes.map((hash) => Buffer.from(hash, 'base64url').toString('base64'))],
  )
  for (const secret of secrets) await insertSecret(sql, id, secret)
}

/** @throws {RegistrationRefused} */
function checkDeclared(
  client: DeclaredClient,
  network: NetworkPolicy,
  apiScopes: readonly string[] = [],
): CheckedRegistration {
  const { problems, checked } = checkRegistration(client, network, apiScopes)
  const all = [...problems, ...idProblems(client.id)]
  const { secrets = [] } = client
  if (secrets.length > 0 && checked !== undefined && !needsSecret(checked)) {
    all.push({
      member: 'secret',
      why: checked.public ? 'given to a public client' : 'given together with keys',
      fix: 'leave out one of them',
    })
  }
  if (checked !== undefined && needsSecret(checked)) {
    if (secrets.length === 0 || secrets.some(({ length }) => length < MIN_SECRET_CHARACTERS)) {
      all.push({
        member: 'secret',
        why:
          secrets.length === 0
            ? 'missing, and there are no keys'
            : `shorter than ${MIN_SECRET_CHARACTERS} characters`,
        fix: 'make one with `openssl rand -hex 32`',
      })
    }
  }
  if (checked === undefined || all.length > 0) {
    const named = all.map((problem) => ({
      ...problem,
      member: `clients.${client.id}.${problem.member}`,
    }))
    throw new RegistrationRefused(named)
  }
  return checked
}
