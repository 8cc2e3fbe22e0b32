import type { Pool, PoolClient } from 'pg'
import type { Client, ClientSecret, ClientSource, GrantType } from './client.ts'
import { hashSecret } from './client-secret.ts'
import type { CheckedRegistration } from './registration.ts'

interface ClientRow {
  id: string
  name: string
  source: ClientSource
  grants: GrantType[]
  scopes: string
  jwks: { keys: object[] } | null
  jwks_uri: string | null
  disabled: boolean
  created_at: number
  secrets: { hash: string; expires_at: number | null }[] | null
}

const SELECT = `
  SELECT id, name, source, grants, scopes, jwks, jwks_uri, disabled,
         extract(epoch FROM created_at)::float8 AS created_at,
         (SELECT json_agg(json_build_object('hash', encode(hash, 'base64'),
                                            'expires_at', extract(epoch FROM expires_at)::float8)
                          ORDER BY s.created_at)
            FROM client_secret s WHERE s.client_id = client.id) AS secrets
    FROM client`

/** Reads one client; `undefined` if there is none. One round trip, prepared. */
export async function findClient(pool: Pool, id: string): Promise<Client | undefined> {
  const { rows } = await pool.query<ClientRow>({
    name: 'oauth-find-client',
    text: `${SELECT} WHERE id = $1`,
    values: [id],
  })
  return rows[0] && clientOf(rows[0])
}

/** Every client, oldest first. */
export async function listClients(pool: Pool): Promise<readonly Client[]> {
  const { rows } = await pool.query<ClientRow>(`${SELECT} ORDER BY created_at, id`)
  return rows.map(clientOf)
}

/** Inserts, or replaces a client of the same source; 0 rows if one of another source has the id. */
export function insertClient(
  sql: PoolClient,
  id: string,
  source: 'config' | 'stored' | 'internal',
  { name, grants, scopes, jwks, jwksUri }: CheckedRegistration,
) {
  return sql.query(
    `INSERT INTO client (id, name, source, grants, scopes, jwks, jwks_uri)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (id) DO UPDATE
        SET name = excluded.name, grants = excluded.grants, scopes = excluded.scopes,
            jwks = excluded.jwks, jwks_uri = excluded.jwks_uri, updated_at = now()
      WHERE client.source = excluded.source AND client.source <> 'stored'`,
    [id, name, source, grants, scopes, jwks === undefined ? null : JSON.stringify(jwks), jwksUri],
  )
}

/** Adds the hash of a secret. */
export function insertSecret(sql: PoolClient, id: string, secret: string, label?: string) {
  return sql.query(
    `INSERT INTO client_secret (client_id, hash, label) VALUES ($1, $2, $3)
     ON CONFLICT DO NOTHING`,
    [id, Buffer.from(hashSecret(secret), 'base64url'), label],
  )
}

function clientOf(row: ClientRow): Client {
  return {
    id: row.id,
    name: row.name,
    source: row.source,
    grants: row.grants,
    scopes: row.scopes,
    secrets: (row.secrets ?? []).map(secretOf),
    ...(row.jwks === null ? {} : { jwks: row.jwks }),
    ...(row.jwks_uri === null ? {} : { jwksUri: row.jwks_uri }),
    disabled: row.disabled,
    createdAt: Math.floor(row.created_at),
  }
}

function secretOf({ hash, expires_at }: { hash: string; expires_at: number | null }): ClientSecret {
  const base64url = Buffer.from(hash, 'base64').toString('base64url')
  return expires_at === null
    ? { hash: base64url }
    : { hash: base64url, expiresAt: Math.floor(expires_at) }
}
