import { createHash, randomBytes, randomUUID } from 'node:crypto'
import {
  defaultGrants,
  GRANT_TYPES,
  type NewRegistrationToken,
  type RegistrationPolicy,
  type RegistrationTokens,
  type RegistrationTokenView,
} from '@scopegate/oauth-model'
import type { ClientBase, Pool } from 'pg'
import { scopeProblem } from '../clients/registrable-scope.ts'

/** How a registered client may authenticate. */
export const REGISTRABLE_AUTH_METHODS = [
  'none',
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
] as const

/** Initial access tokens, with what only the registration endpoint does. @see RFC 7591 §3 */
export interface InitialAccessTokens extends RegistrationTokens {
  /** The token, if it may still be used; nothing is counted. */
  find(token: string): Promise<RegistrationTokenView | undefined>
  /** Takes one use: of many at once, as many as are left. @returns whether there was one. */
  use(sql: ClientBase, id: string): Promise<boolean>
}

interface Row {
  id: string
  name: string
  scopes: string
  grants: string[]
  auth_methods: string[]
  redirect_hosts: string[]
  uses: number
  uses_left: number
  created_at: number
  expires_at: number | null
}

const SELECT = `
  SELECT id, name, scopes, grants, auth_methods, redirect_hosts, uses, uses_left,
         floor(extract(epoch FROM created_at))::float8 AS created_at,
         floor(extract(epoch FROM expires_at))::float8 AS expires_at
    FROM registration_token`
const ALIVE = 'uses_left > 0 AND (expires_at IS NULL OR expires_at > now())'
const DAY_SECONDS = 86_400
const MAX_SECONDS = 366 * DAY_SECONDS
const MAX_USES = 10_000

export function createRegistrationTokens(
  pool: Pool,
  apiScopes: readonly string[] = [],
): InitialAccessTokens {
  return {
    async list() {
      const { rows } = await pool.query<Row>(`${SELECT} ORDER BY created_at, id`)
      return rows.map(viewOf)
    },

    async create(wanted) {
      const policy = policyOf(wanted)
      const { uses = 1, expiresInSeconds = DAY_SECONDS, name } = wanted
      const problem = policyProblem(policy, apiScopes) ?? numberProblem(uses, expiresInSeconds)
      if (problem !== undefined) return { ok: false, ...problem }
      const token = `sgi_${randomBytes(32).toString('base64url')}`
      const id = randomUUID()
      await pool.query(
        `INSERT INTO registration_token
                (id, hash, name, scopes, grants, auth_methods, redirect_hosts, uses, uses_left,
                 expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, now() + make_interval(secs => $9))`,
        [
          ...[id, hashToken(token), name.slice(0, 200), policy.scopes, policy.grants],
          ...[policy.authMethods, policy.redirectHosts, uses, expiresInSeconds],
        ],
      )
      const { rows } = await pool.query<Row>(`${SELECT} WHERE id = $1`, [id])
      return { ok: true, token, view: viewOf(rows[0] as Row) }
    },

    async remove(id) {
      const { rowCount } = await pool.query('DELETE FROM registration_token WHERE id = $1', [id])
      return rowCount === 1
    },

    async find(token) {
      const { rows } = await pool.query<Row>(`${SELECT} WHERE hash = $1 AND ${ALIVE}`, [
        hashToken(token),
      ])
      return rows[0] && viewOf(rows[0])
    },

    async use(sql, id) {
      const { rowCount } = await sql.query(
        `UPDATE registration_token SET uses_left = uses_left - 1 WHERE id = $1 AND ${ALIVE}`,
        [id],
      )
      return rowCount === 1
    },
  }
}

/** Tokens of registration are random and long: a fast hash keeps them. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function policyOf(wanted: NewRegistrationToken): RegistrationPolicy {
  const { scopes, redirectHosts = [] } = wanted
  // Hosts alone, of key sets for one, make no app with users.
  const hasUser = scopes.split(/\s+/).some((scope) => !/^(?:|(?:system|admin)\/.*)$/.test(scope))
  const grants = wanted.grants ?? defaultGrants(scopes, hasUser ? redirectHosts : [])
  return {
    scopes: scopes.split(/\s+/).filter(Boolean).join(' '),
    grants,
    authMethods: wanted.authMethods ?? REGISTRABLE_AUTH_METHODS,
    redirectHosts: redirectHosts.map((host) => host.toLowerCase()),
  }
}

function policyProblem(
  policy: RegistrationPolicy,
  apiScopes: readonly string[],
): { why: string; fix: string } | undefined {
  const { scopes, grants, authMethods, redirectHosts } = policy
  if (scopes === '') return { why: 'scopes: none given', fix: 'name at least one scope' }
  const grant = grants.find((each) => !(GRANT_TYPES as readonly string[]).includes(each))
  if (grant !== undefined || grants.length === 0) {
    return {
      why: `grants: \`${grant ?? ''}\` is not supported`,
      fix: `choose from ${GRANT_TYPES.join(', ')}`,
    }
  }
  for (const text of scopes.split(' ')) {
    const problem = scopeProblem(text, grants, apiScopes)
    if (problem !== undefined)
      return { why: `scopes: \`${text}\`: ${problem.why}`, fix: problem.fix }
  }
  const methods = REGISTRABLE_AUTH_METHODS as readonly string[]
  const method = authMethods.find((each) => !methods.includes(each))
  if (method !== undefined || authMethods.length === 0) {
    return {
      why: `token_endpoint_auth_methods: \`${method ?? ''}\` is not supported`,
      fix: `choose from ${methods.join(', ')}`,
    }
  }
  const host = redirectHosts.find((each) => !isHost(each))
  if (host !== undefined) {
    return {
      why: `redirect_hosts: \`${host}\` is neither a host nor a private-use scheme`,
      fix: 'give hosts such as `app.example`, without scheme and port, or a scheme such as `com.example.app:`',
    }
  }
  if (grants.includes('authorization_code') && redirectHosts.length === 0) {
    return {
      why: 'redirect_hosts: none given, and `authorization_code` needs redirect URIs',
      fix: 'name the hosts that the clients may come back to',
    }
  }
  return undefined
}

function isHost(text: string): boolean {
  if (/^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:$/.test(text)) return true
  const url = URL.parse(`https://${text}/`)
  return url !== null && url.hostname === text && url.port === ''
}

function numberProblem(uses: number, seconds: number): { why: string; fix: string } | undefined {
  if (!Number.isInteger(uses) || uses < 1 || uses > MAX_USES) {
    return { why: 'uses: out of range', fix: `give a whole number from 1 to ${MAX_USES}` }
  }
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_SECONDS) {
    return { why: 'expires_in: out of range', fix: `give whole seconds from 1 to ${MAX_SECONDS}` }
  }
  return undefined
}

function viewOf(row: Row): RegistrationTokenView {
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes,
    grants: row.grants,
    authMethods: row.auth_methods,
    redirectHosts: row.redirect_hosts,
    uses: row.uses,
    usesLeft: row.uses_left,
    createdAt: row.created_at,
    ...(row.expires_at === null ? {} : { expiresAt: row.expires_at }),
  }
}
