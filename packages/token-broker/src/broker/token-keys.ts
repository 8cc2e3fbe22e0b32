import { createHash } from 'node:crypto'
import type { Connection } from '../connection.ts'
import type { TokenTarget } from '../token-request.ts'

/** Under which names a token, what it is got with, and what went wrong are kept. */
export interface TokenKeys {
  /** One token. */
  readonly token: string
  /** One refresh token, which all tokens got with it share; missing where the grant has none. */
  readonly grant?: string
  /**
   * One client at one token endpoint, as it is configured now: what is wrong with it is wrong for
   * all its tokens.
   */
  readonly client: string
  /** Only one process may fetch under it. */
  readonly lease: string
}

/**
 * Names that differ wherever a token may not be shared: every part is a field of its own, so that no
 * two different lists read the same. The connection's revision is among them: after a change nothing
 * got before is found.
 */
export function tokenKeysOf({ connection, scopes, audience, subject }: TokenTarget): TokenKeys {
  const { name, revision, clientId, authentication, grant, resource, dpop } = connection
  const endpoint = endpointOf(connection)
  const token = hashOf('token', {
    ...{ name, revision, endpoint, clientId, grant, resource, audience, subject, dpop },
    method: authentication.method,
    scopes: [...new Set(scopes)].sort(),
  })
  // Not the revision: a connection that got another timeout needs no new sign-in.
  const refresh = usesRefreshToken(connection)
    ? hashOf('grant', { name, endpoint, clientId, subject })
    : undefined
  return {
    token,
    ...(refresh !== undefined && { grant: refresh }),
    client: hashOf('client', { endpoint, clientId, revision }),
    lease: refresh ?? token,
  }
}

/** Whether its tokens are got with a refresh token. */
export function usesRefreshToken({ grant }: Pick<Connection, 'grant'>): boolean {
  return grant === 'refresh_token' || grant === 'authorization_code' || grant === 'device_code'
}

function endpointOf({ tokenEndpoint, issuer }: Connection): string {
  return tokenEndpoint ?? `issuer ${issuer ?? ''}`
}

function hashOf(kind: string, fields: Readonly<Record<string, unknown>>): string {
  const list = Object.keys(fields)
    .sort()
    .map((name) => [name, fields[name] ?? null])
  return createHash('sha256')
    .update(JSON.stringify([kind, list]))
    .digest('base64url')
}
