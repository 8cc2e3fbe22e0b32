import type { LabKey } from '../issuer/lab-keys.ts'
import type { LabApi } from './access/access-flavour.ts'
import type { LabAccessTokenWish } from './access/token-endpoint.ts'
import type { TokenProblemKind } from './access/token-problem.ts'
import type { LabFault } from './faults.ts'
import type { LabFlavourName } from './flavours/index.ts'
import type { LabClient } from './lab-client.ts'
import type { LabUser } from './lab-user.ts'

export interface LabOpenIdProviderOptions {
  readonly flavour: LabFlavourName
  /** As its discovery document spells it. */
  readonly issuer: string
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
  /** Sends back-channel logout. */
  readonly fetch?: typeof fetch
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
  /** Introspection, tokeninfo and userinfo know it no longer. */
  revokeAccessToken(token: string): boolean
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
