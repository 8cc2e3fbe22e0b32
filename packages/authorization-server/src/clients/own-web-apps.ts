import type { PoolClient } from 'pg'
import { hashSecret } from './client-secret.ts'
import { insertClient, insertSecret } from './client-store.ts'

/** A web app that this server itself signs people in to. */
export interface OwnWebApp {
  /** Begins with {@link OWN_WEB_APP_PREFIX}. */
  readonly id: string
  readonly name: string
  readonly secret: string
  /** Space-separated. */
  readonly scopes: string
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  /** It is told in this process; with an address its ID tokens name the session. */
  readonly backchannelLogoutUri: string
}

/** Its sessions are refreshed this often: whoever lost access has lost it there by then. */
const ACCESS_TOKEN_SECONDS = 300

export const OWN_WEB_APP_PREFIX = 'web-login-'

/**
 * Makes the clients of the server's own web apps exist as they are declared, and removes the others
 * of that kind. Nobody is asked for consent: the operator put the app behind this server.
 * @returns the ids of those that are gone
 */
export async function declareOwnWebApps(
  apps: readonly OwnWebApp[],
  transaction: <T>(work: (sql: PoolClient) => Promise<T>) => Promise<T>,
): Promise<readonly string[]> {
  return transaction(async (sql) => {
    // Two processes with one configuration start at the same moment.
    await sql.query(`SELECT pg_advisory_xact_lock(hashtext('scopegate.own-web-apps'))`)
    const { rows } = await sql.query<{ id: string }>(
      `DELETE FROM client
        WHERE source = 'internal' AND starts_with(id, $1) AND NOT id = ANY($2) RETURNING id`,
      [OWN_WEB_APP_PREFIX, apps.map(({ id }) => id)],
    )
    for (const { id, secret, ...app } of apps) {
      const { rowCount } = await insertClient(sql, id, 'internal', {
        ...app,
        grants: ['authorization_code', 'refresh_token'],
        public: false,
        dpopBound: false,
        requirePar: false,
        consent: 'skip',
        accessTokenSeconds: ACCESS_TOKEN_SECONDS,
      })
      if (rowCount !== 1) {
        throw new Error(
          `client \`${id}\` was added at run time, and the login of \`${app.name}\` needs its id: remove it with \`scopegate client remove ${id}\``,
        )
      }
      await sql.query('DELETE FROM client_secret WHERE client_id = $1 AND hash <> $2', [
        id,
        Buffer.from(hashSecret(secret), 'base64url'),
      ])
      await insertSecret(sql, id, secret)
    }
    return rows.map(({ id }) => id)
  })
}
