/**
 * Scopes of the admin API. They name what an operator does and reach no clinical data; a client
 * gets only those that it is registered for.
 */
export const ADMIN_SCOPES = [
  'admin/clients.read',
  'admin/clients.write',
  'admin/launches.write',
  'admin/grants.read',
  'admin/grants.write',
  'admin/users.read',
  'admin/users.write',
  'admin/import.write',
  'admin/traces.read',
  'admin/explain.read',
  'admin/audit.read',
  'admin/backup.write',
  'admin/connections.read',
  'admin/connections.write',
  'admin/connections.token',
  'admin/connections.own',
  'admin/keys.read',
  'admin/keys.write',
  'admin/keys.sign',
  'admin/keys.export',
  'admin/secrets.read',
  'admin/secrets.write',
  'admin/status.read',
  'admin/doctor.read',
] as const

export type AdminScope = (typeof ADMIN_SCOPES)[number]

/**
 * Lets a client, by its credentials or by a token that holds it, introspect tokens of every client:
 * for resource servers. Granted by client credentials only, beside the scopes of any API.
 *
 * @see SMART 2.2, token-introspection: "suitably scoped"
 */
export const INTROSPECT_SCOPE = 'introspect'
