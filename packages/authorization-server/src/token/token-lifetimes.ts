import type { AuthorizationServerDeps } from '../authorization-server-deps.ts'
import { MAX_ACCESS_TOKEN_SECONDS } from '../clients/check-registration.ts'
import {
  ACCESS_TOKEN_SECONDS,
  ID_TOKEN_SECONDS,
  REFRESH_TOKEN_SECONDS,
  USER_ACCESS_TOKEN_SECONDS,
} from '../lifetimes.ts'

export interface TokenLifetimes {
  /** Of client credentials. */
  readonly accessTokenSeconds: number
  /** Of users, where a client has none of its own. */
  readonly userAccessTokenSeconds: number
  readonly refreshTokenSeconds: number
  readonly clockToleranceSeconds: number
  /** Of any token that is signed here: so long its key is published after it has retired. */
  readonly longestTokenSeconds: number
}

/** How long tokens live, where the deployment says nothing else. */
export function tokenLifetimes(
  deps: Pick<
    AuthorizationServerDeps,
    | 'accessTokenSeconds'
    | 'userAccessTokenSeconds'
    | 'refreshTokenSeconds'
    | 'clockToleranceSeconds'
    | 'signIn'
  >,
): TokenLifetimes {
  const accessTokenSeconds = Math.min(deps.accessTokenSeconds ?? Infinity, ACCESS_TOKEN_SECONDS)
  const userAccessTokenSeconds = deps.userAccessTokenSeconds ?? USER_ACCESS_TOKEN_SECONDS
  const ofUsers = [userAccessTokenSeconds, ID_TOKEN_SECONDS, MAX_ACCESS_TOKEN_SECONDS]
  return {
    accessTokenSeconds,
    userAccessTokenSeconds,
    refreshTokenSeconds: deps.refreshTokenSeconds ?? REFRESH_TOKEN_SECONDS,
    clockToleranceSeconds: deps.clockToleranceSeconds ?? 30,
    longestTokenSeconds:
      deps.signIn === undefined ? accessTokenSeconds : Math.max(accessTokenSeconds, ...ofUsers),
  }
}
