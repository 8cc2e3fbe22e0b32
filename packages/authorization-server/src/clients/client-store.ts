import type { ClientSource, ConsentMode, GrantType } from '@scopegate/oauth-model'
import type { ClientBase, Pool } from 'pg'
import type { CheckedRegistration } from './check-registration.ts'
import { type Client, type ClientSecret, isNative, originsOf } from './client.ts'
import { hashSecret } from './client-secret.ts'

interface ClientRow {
  id: string
  name: string
  source: ClientSource
  grants: GrantType[]
  scopes: string
  public: boolean
  jwks: { keys: object[] } | null
  jwks_uri: string | null
  redirect_uris: string[]
  post_logout_redirect_uris: string[]
  origins: string[] | null
  launch_url: string | null
  dpop_bound: boolean
  require_par: boolean
  backchannel_logout_uri: string | null
  logo_uri: string | null
  client_uri: string | null
  policy_uri: string | null
  tos_uri: string | null
  consent: ConsentMode
  access_token_seconds: number | null
  refresh_token_seconds: number | null
  disabled: boolean
  created_at: number
  secrets: { hash: string; expires_at: number | null }[] | null
}

/** The columns of a registration, in the order of {@link valuesOf}. */
const COLUMNS = [
  'name',
  'grants',
  'scopes',
  'public',
  'jwks',
  'jwks_uri',
  'redirect_uris',
  'post_logout_redirect_uris',
  'origins',
  'launch_url',
  'dpop_bound',
  'require_par',
  'backchannel_logout_uri',
  'logo_uri',
  'client_uri',
  'policy_uri',
  'tos_uri',
  'consent',
  'access_token_seconds',
  'refresh_token_seconds',
] as const

function valuesOf(checked: CheckedRegistration): unknown[] {
  return [
    checked.name,
    checked.grants,
    checked.scopes,
    checked.public,
    checked.jwks === undefined ? null : JSON.stringify(checked.jwks),
    checked.jwksUri,
    checked.redirectUris,
    checked.postLogoutRedirectUris,
    checked.origins,
    checked.launchUrl,
    checked.dpopBound,
    checked.requirePar,
    checked.backchannelLogoutUri,
    checked.logoUri,
    checked.clientUri,
    checked.policyUri,
    checked.tosUri,
    checked.consent,
    checked.accessTokenSeconds,
    checked.refreshTokenSeconds,
  ]
}

const SELECT = `
  SELECT id, source, ${COLUMNS.join(', ')}, disabled,
         extract(epoch FROM created_at)::float8 AS created_at,
         (SELECT json_agg(json_build_object('hash', encode(hash, 'base64'),
                                            'expires_at', extract(epoch FROM expires_at)::float8)
                          ORDER BY s.created_at)
            FROM client_secret s WHERE s.client_id = client.id) AS secrets
    FROM client`

/** Reads one client; `undefined` if there is none. One round trip, prepared. */
export async function findClient(pool: Pool, id: string): Promise<Client | undefined> {
  // PostgreSQL has no NUL in texts: it would fail where there is only nothing to find.
  if (id.includes('\0')) return undefined
  const { rows } = await pool.query<ClientRow>({
    name: 'oauth-find-client',
    text: `${SELECT} WHERE id = $1`,
    values: [id],
  })
  return rows[0] && clientOf(rows[0])
}

/**
 * Reads one client and keeps others from changing it until the transaction ends. `registration` is
 * what was registered, without defaults.
 */
export async function lockClient(
  sql: ClientBase,
  id: string,
): Promise<{ readonly client: Client; readonly registration: CheckedRegistration } | undefined> {
  const { rows } = await sql.query<ClientRow>(`${SELECT} WHERE id = $1 FOR UPDATE OF client`, [id])
  if (rows[0] === undefined) return undefined
  const client = clientOf(rows[0])
  const { origins: _, ...registration } = client
  return { client, registration: { ...registration, ...present('origins', rows[0].origins) } }
}

/** Every client, oldest first. */
export async function listClients(pool: Pool): Promise<readonly Client[]> {
  const { rows } = await pool.query<ClientRow>(`${SELECT} ORDER BY created_at, id`)
  return rows.map(clientOf)
}

const INSERT = `
  INSERT INTO client (id, source, ${COLUMNS.join(', ')})
  VALUES ($1, $2, ${COLUMNS.map((_, index) => `$${index + 3}`).join(', ')})
  ON CONFLICT (id) DO UPDATE
     SET ${COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}, updated_at = now()
   WHERE client.source = excluded.source AND client.source IN ('config', 'internal')`

/** Inserts, or replaces a client that is declared anew; 0 rows if the id is taken otherwise. */
export function insertClient(
  sql: ClientBase,
  id: string,
  source: ClientSource,
  checked: CheckedRegistration,
) {
  return sql.query(INSERT, [id, source, ...valuesOf(checked)])
}

const UPDATE = `
  UPDATE client
     SET ${COLUMNS.map((column, index) => `${column} = $${index + 3}`).join(', ')},
         disabled = $2, updated_at = now()
   WHERE id = $1`

/** Replaces the registration of a client. */
export function updateClient(
  sql: ClientBase,
  id: string,
  disabled: boolean,
  checked: CheckedRegistration,
) {
  return sql.query(UPDATE, [id, disabled, ...valuesOf(checked)])
}

/** Adds the hash of a secret. */
export function insertSecret(sql: ClientBase, id: string, secret: string, label?: string) {
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
    public: row.public,
    native: isNative(row.redirect_uris),
    secrets: (row.secrets ?? []).map(secretOf),
    ...present('jwks', row.jwks),
    ...present('jwksUri', row.jwks_uri),
    redirectUris: row.redirect_uris,
    postLogoutRedirectUris: row.post_logout_redirect_uris,
    origins: row.origins ?? (row.public ? originsOf(row.redirect_uris) : []),
    ...present('launchUrl', row.launch_url),
    dpopBound: row.dpop_bound,
    requirePar: row.require_par,
    ...present('backchannelLogoutUri', row.backchannel_logout_uri),
    ...present('logoUri', row.logo_uri),
    ...present('clientUri', row.client_uri),
    ...present('policyUri', row.policy_uri),
    ...present('tosUri', row.tos_uri),
    consent: row.consent,
    ...present('accessTokenSeconds', row.access_token_seconds),
    ...present('refreshTokenSeconds', row.refresh_token_seconds),
    disabled: row.disabled,
    createdAt: Math.floor(row.created_at),
  }
}

/** A member that is there only with a value. */
function present<Name extends string, Value>(
  name: Name,
  value: Value | null,
): { readonly [Member in Name]?: Value } {
  return value === null ? {} : ({ [name]: value } as { [Member in Name]: Value })
}

function secretOf({ hash, expires_at }: { hash: string; expires_at: number | null }): ClientSecret {
  const base64url = Buffer.from(hash, 'base64').toString('base64url')
  return expires_at === null
    ? { hash: base64url }
    : { hash: base64url, expiresAt: Math.floor(expires_at) }
}
