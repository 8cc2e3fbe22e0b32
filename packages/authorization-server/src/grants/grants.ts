import { randomBytes } from 'node:crypto'
import type { GrantDirectory, GrantView, LaunchContext } from '@scopegate/oauth-model'
import type { Pool } from 'pg'
import { withContext } from './candidate-scopes.ts'

/** What one launch has given a client, as tokens of it are issued. */
export interface LaunchGrant {
  readonly grantId: string
  readonly userId: string
  readonly clientId: string
  /** The identity session in which it was given. */
  readonly sessionId?: string
  readonly scopes: readonly string[]
  /** The API that the scopes are for, without a final slash. */
  readonly resource: string
  readonly context: LaunchContext
  /** Who the user was in the FHIR data then, as it was spelled. */
  readonly fhirUser?: string
  readonly remembered: boolean
  /** Epoch seconds. */
  readonly createdAt: number
  readonly lastUsedAt: number
  readonly expiresAt: number
  readonly revokedAt?: number
}

export interface NewLaunchGrant {
  readonly clientId: string
  readonly user: { readonly id: string; readonly fhirUser?: string | undefined }
  readonly sessionId?: string
  /** As the user allowed them; those that the context does not carry are left out. */
  readonly scopes: readonly string[]
  readonly resource: string
  readonly context: LaunchContext
  /** Not to be asked again for this client and patient. */
  readonly remember?: boolean
}

/** What users gave clients: one grant for each launch, so that two launches never share a context. */
export interface Grants extends GrantDirectory {
  /**
   * Gives its id for `interactionFinished`.
   * @throws {NothingGranted} if no scope is left.
   */
  create(grant: NewLaunchGrant): Promise<string>
  /** Missing when revoked or expired. */
  find(grantId: string): Promise<LaunchGrant | undefined>
  /** Those that are alive, or remembered, newest first. */
  listOf(userId: string): Promise<readonly LaunchGrant[]>
  /**
   * The scopes that the user wants granted without being asked, from the newest such launch of the
   * last year.
   */
  remembered(query: {
    readonly userId: string
    readonly clientId: string
    readonly patient?: string | undefined
    /** The API that it was given for. */
    readonly resource: string
  }): Promise<{ readonly scopes: readonly string[] } | undefined>
  /** Everything that the user gave this client, remembered consent included. @returns how many */
  revokeClient(userId: string, clientId: string, reason: string): Promise<number>
  /** Those given in this session, for logout. */
  listOfSession(sessionId: string): Promise<readonly LaunchGrant[]>
  /** Notes the use, at most once a minute. */
  touch(grantId: string): Promise<void>
}

/** The user allowed nothing that a token could hold. */
export class NothingGranted extends Error {
  override readonly name = 'NothingGranted'
}

export interface GrantsDeps {
  readonly pool: Pool
  /** How long a grant with `offline_access` lives. */
  readonly offlineSeconds: number
  /** How long one with `online_access` does. */
  readonly onlineSeconds: number
  /** How long one without refresh tokens does: until its access token has expired. */
  readonly tokenSeconds: number
  /** Its access tokens end with it; for the verifiers. */
  readonly onRevoked?: (grantIds: readonly string[]) => Promise<void>
}

interface Row {
  grant_id: string
  user_id: string
  client_id: string
  session_id: string | null
  scopes: string[]
  resource: string
  context: LaunchContext
  fhir_user: string | null
  remembered: boolean
  created_at: number
  last_used_at: number
  expires_at: number
  revoked_at: number | null
}

const epoch = (column: string) => `floor(extract(epoch FROM ${column}))::float8 AS ${column}`
const SELECT = `
  SELECT grant_id, user_id, client_id, session_id, scopes, resource, context, fhir_user,
         remembered, ${['created_at', 'last_used_at', 'expires_at', 'revoked_at'].map(epoch).join(', ')}
    FROM smart_grant_context`
const ALIVE = 'revoked_at IS NULL AND expires_at > now()'
/** A remembered consent outlives its tokens, and a user must be able to take it back. */
const REMEMBERED = `remembered AND smart_grant_context.created_at > now() - interval '366 days'`
const LISTED = `revoked_at IS NULL AND (expires_at > now() OR ${REMEMBERED})`

export function createGrants(deps: GrantsDeps): Grants {
  const { pool } = deps

  async function select(where: string, values: readonly unknown[]) {
    const { rows } = await pool.query<Row>(`${SELECT} WHERE ${where}`, [...values])
    return rows.map(grantOf)
  }

  async function revokeWhere(where: string, values: readonly unknown[], reason: string) {
    const { rows } = await pool.query<{ grant_id: string }>(
      `WITH revoked AS (
         UPDATE smart_grant_context SET revoked_at = now(), revoked_reason = $1
          WHERE ${where} AND ${LISTED} RETURNING grant_id),
       ended AS (
         DELETE FROM engine_model USING revoked WHERE engine_model.grant_id = revoked.grant_id)
       SELECT grant_id FROM revoked`,
      [reason, ...values],
    )
    const ids = rows.map(({ grant_id }) => grant_id)
    if (ids.length > 0) await deps.onRevoked?.(ids)
    return ids.length
  }

  return {
    async create({ clientId, user, sessionId, scopes, resource, context, remember }) {
      const granted = withContext(
        scopes.filter((scope) => !scope.startsWith('system/') && !scope.startsWith('admin/')),
        context,
      )
      if (granted.length === 0) throw new NothingGranted('no scope is left to grant')
      const seconds = lifeOf(granted, deps)
      const grantId = randomBytes(32).toString('base64url')
      await pool.query({
        name: 'grant-create',
        // The newest one is what is remembered, so that the user finds it once.
        text: `WITH former AS (
                 UPDATE smart_grant_context SET remembered = false
                  WHERE $9 AND remembered AND user_id = $2 AND client_id = $3
                    AND patient IS NOT DISTINCT FROM $7::jsonb ->> 'patient'
                    AND resource = $6)
               INSERT INTO smart_grant_context
                      (grant_id, user_id, client_id, session_id, scopes, resource, context,
                       fhir_user, remembered, expires_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(secs => $10))`,
        values: [
          grantId,
          user.id,
          clientId,
          sessionId,
          granted,
          resource,
          JSON.stringify(context),
          user.fhirUser,
          remember ?? false,
          seconds,
        ],
      })
      return grantId
    },

    async find(grantId) {
      const { rows } = await pool.query<Row>({
        name: 'grant-find',
        text: `${SELECT} WHERE grant_id = $1 AND ${ALIVE}`,
        values: [grantId],
      })
      return rows[0] && grantOf(rows[0])
    },

    listOf: (userId) =>
      select(`user_id = $1 AND ${LISTED} ORDER BY smart_grant_context.created_at DESC, grant_id`, [
        userId,
      ]),

    listOfSession: (sessionId) => select('session_id = $1 AND revoked_at IS NULL', [sessionId]),

    async list({ userId, clientId, limit = 200 }) {
      const grants = await select(
        `coalesce(user_id = $1, $1 IS NULL) AND coalesce(client_id = $2, $2 IS NULL) AND ${LISTED}
         ORDER BY smart_grant_context.created_at DESC, grant_id LIMIT $3`,
        [userId ?? null, clientId ?? null, limit],
      )
      return grants.map(viewOf)
    },

    async remembered({ userId, clientId, patient, resource }) {
      const { rows } = await pool.query<{ scopes: string[] }>(
        `SELECT scopes FROM smart_grant_context
          WHERE user_id = $1 AND client_id = $2 AND patient IS NOT DISTINCT FROM $3
            AND resource = $4 AND ${REMEMBERED} AND revoked_at IS NULL
          ORDER BY smart_grant_context.created_at DESC LIMIT 1`,
        [userId, clientId, patient ?? null, resource],
      )
      return rows[0] && { scopes: rows[0].scopes }
    },

    revoke: async (grantId, reason) => (await revokeWhere('grant_id = $2', [grantId], reason)) > 0,
    revokeAllOf: (userId, reason) => revokeWhere('user_id = $2', [userId], reason),

    async revokeAllOfClient(clientId, reason) {
      await pool.query('UPDATE smart_grant_context SET remembered = false WHERE client_id = $1', [
        clientId,
      ])
      return revokeWhere('client_id = $2', [clientId], reason)
    },

    async revokeClient(userId, clientId, reason) {
      // A remembered consent may outlive its tokens.
      await pool.query(
        'UPDATE smart_grant_context SET remembered = false WHERE user_id = $1 AND client_id = $2',
        [userId, clientId],
      )
      return revokeWhere('user_id = $2 AND client_id = $3', [userId, clientId], reason)
    },

    async touch(grantId) {
      await pool.query(
        `UPDATE smart_grant_context SET last_used_at = now()
          WHERE grant_id = $1 AND last_used_at < now() - interval '1 minute'`,
        [grantId],
      )
    },
  }
}

function lifeOf(scopes: readonly string[], deps: GrantsDeps): number {
  if (scopes.includes('offline_access')) return deps.offlineSeconds
  return scopes.includes('online_access') ? deps.onlineSeconds : deps.tokenSeconds
}

function grantOf(row: Row): LaunchGrant {
  return {
    grantId: row.grant_id,
    userId: row.user_id,
    clientId: row.client_id,
    ...(row.session_id === null ? {} : { sessionId: row.session_id }),
    scopes: row.scopes,
    resource: row.resource,
    context: row.context,
    ...(row.fhir_user === null ? {} : { fhirUser: row.fhir_user }),
    remembered: row.remembered,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    expiresAt: row.expires_at,
    ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at }),
  }
}

function viewOf(grant: LaunchGrant): GrantView {
  const { grantId: id, clientId, userId, scopes, context, createdAt, lastUsedAt, expiresAt } = grant
  const { patient } = context
  return {
    ...{ id, clientId, userId, scopes, createdAt, lastUsedAt, expiresAt },
    ...(patient === undefined ? {} : { patient }),
  }
}
