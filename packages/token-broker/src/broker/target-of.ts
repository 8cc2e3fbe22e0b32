import { TokenUnavailable, type TokenWish } from '@scopegate/oauth-model'
import type { Connection } from '../connection.ts'
import type { TokenTarget } from '../token-request.ts'
import { notSignedIn, scopesNotConfigured } from './broker-failures.ts'
import { usesRefreshToken } from './token-keys.ts'

/**
 * What a wish narrows a connection to.
 *
 * @throws {TokenUnavailable} for what is beyond the connection
 */
export function targetOf(connection: Connection, wish: TokenWish): TokenTarget {
  const { scopes } = connection
  const foreign = wish.scopes?.filter((scope) => !scopes.includes(scope)) ?? []
  // The connection's scopes are the most that any caller gets.
  if (scopes.length > 0 && foreign.length > 0) {
    throw new TokenUnavailable(connection.name, scopesNotConfigured(foreign))
  }
  // Whoever signed in is whom its tokens are for.
  if (usesRefreshToken(connection) && wish.subject !== undefined) {
    throw new TokenUnavailable(connection.name, notSignedIn(connection.name, wish.subject))
  }
  return {
    connection,
    scopes: wish.scopes ?? scopes,
    audience: wish.audience ?? connection.audience,
    subject: wish.subject ?? connection.subject,
  }
}
