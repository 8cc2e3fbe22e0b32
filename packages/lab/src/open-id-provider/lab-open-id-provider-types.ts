import type { LabKey } from '../issuer/lab-keys.ts'
import type { LabApi } from './access/access-flavour.ts'
import type { RefreshTokenRules } from './access/refresh-tokens.ts'
import type { LabAccessTokenWish } from './access/token-endpoint-types.ts'
import type { TokenProblemKind } from './access/token-problem.ts'
import type { LabFault } from './faults.ts'
import type { LabFlavourName } from './flavours/index.ts'
import type { LabClient } from './lab-client.ts'
import type { LabUser } from './lab-user.ts'

export interface LabOpenIdProviderOptions {
  readonly flavour: LabFlavourName
  /** As its discovery document spells it. */
  readonly issuer: string
  /** Where its endpoints are, if that is not at the issuer: behind another name. */
  readonly origin?: string
  /** Without any, every client and every redirect URI is taken. */
  readonly clients?: readonly LabClient[]
  readonly users?: readonly LabUser[]
  /** Entra, Auth0: the APIs that exist. Without any, every one does. */
  readonly apis?: readonly LabApi[]
  /** Okta: of the authorization server; Keycloak: what an audience mapper puts; Auth0: the default. */
  readonly audience?: string
  /** Without any, every scope exists. */
  readonly scopes?: readonly string[]
  /** App roles of apps, where `clients` is not given. */
  readonly roles?: readonly string[]
  /** The first one signs. RS256 if not given. */
  readonly keys?: readonly LabKey[]
  /** Epoch seconds. */
  readonly now?: () => number
  /** Instead of what the flavour has. A function is asked for each token. */
  readonly accessTokenSeconds?: number | (() => number | undefined)
  /** Without it nobody gets a refresh token. */
  readonly refreshTokens?: RefreshTokenRules
  /** Sends back-channel logout. */
  readonly fetch?: typeof fetch
}

export interface LabAccessToken {
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly userId: string | undefined
  /** Epoch seconds. */
  readonly expiresAt: number
  /** There is none that was issued later to the same client for the same. */
  readonly isNewest: boolean
}

export interface LabOpenIdProvider {
  readonly issuer: string
  readonly users: readonly LabUser[]
  /** Add to it, and the provider does that wrong; empty at first. */
  readonly faults: Set<LabFault>
  /** Add to it, and every token request is refused with that. */
  readonly problems: Set<TokenProblemKind>
  /** The whole provider, without a socket. */
  fetch(request: Request): Promise<Response>
  /** The `sub` of a user for a client. */
  subjectOf(userId: string, clientId: string): string
  /**
   * An access token by hand, right or wrong, without anybody asking for it.
   *
   * @throws {Error} when the provider has no such user, or would not give such a token.
   */
  mintAccessToken(wish?: LabAccessTokenWish): string
  /** What a live access token of this lab is for; `undefined` for any other. */
  readAccessToken(token: string): LabAccessToken | undefined
  /** Introspection, tokeninfo and userinfo know it no longer. */
  revokeAccessToken(token: string): boolean
  /** All of them; refresh tokens live on. @returns how many there were. */
  revokeAccessTokens(): number
  /** A refresh token by hand, as after a sign-in. Needs `refreshTokens` to be worth anything. */
  mintRefreshToken(wish?: LabAccessTokenWish): string
  /** The whole family of a refresh token, or all families. @returns how many were ended. */
  revokeRefreshTokens(token?: string): number
  /** A logout token, or with `claims` and `header` a wrong one. */
  mintLogoutToken(options: {
    readonly clientId: string
    readonly userId?: string
    readonly sessionId?: string
    readonly claims?: Readonly<Record<string, unknown>>
    readonly header?: Readonly<Record<string, unknown>>
  }): string
  /** Ends a user's sessions and posts a logout token for each to the clients that want one. */
  logOut(userId: string): Promise<readonly { readonly clientId: string; readonly status: number }[]>
}
