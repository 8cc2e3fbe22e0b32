import type { LabKey } from '../../issuer/lab-keys.ts'
import type { LabFlavour } from '../flavours/flavour.ts'
import type { LabClient } from '../lab-client.ts'
import type { LabUser } from '../lab-user.ts'
import type { LabSignIn } from '../mint-lab-id-token.ts'
import type { AccessFlavour, AccessSettings } from './access-flavour.ts'
import type { IssuedToken, TokenChanges } from './lab-tokens.ts'
import type { RefreshTokenRules } from './refresh-tokens.ts'
import type { LabTokenFault } from './token-faults.ts'
import type { TokenProblemKind } from './token-problem.ts'
import type { TokenReaders } from './token-readers.ts'

export interface TokenEndpointOptions extends AccessSettings {
  readonly flavour: LabFlavour
  readonly access: AccessFlavour
  readonly issuer: string
  readonly origin: string
  readonly tenant: string
  readonly key: LabKey
  readonly now: () => number
  readonly findClient: (clientId: string) => LabClient | undefined
  /** What stands behind a code, which is gone with that. */
  readonly takeCode: (code: string) => LabSignIn | undefined
  readonly idToken: (signIn: LabSignIn, accessToken: string) => string | undefined
  readonly idTokenForApp: (clientId: string, accessToken: string) => string
  /** Of tokens issued from now on, instead of what the flavour gives them. */
  readonly accessTokenSeconds: () => number | undefined
  readonly refreshTokens: RefreshTokenRules | undefined
  /** What the lab was told to answer to every token request. */
  readonly problems: ReadonlySet<TokenProblemKind>
}

export interface LabAccessTokenWish extends TokenChanges {
  /** Default `lab-app`. */
  readonly clientId?: string
  /** Missing: the app acts for itself. */
  readonly userId?: string
  readonly scopes?: readonly string[]
  readonly roles?: readonly string[]
  /** As the provider puts it into tokens. Default: what a request without one gets. */
  readonly audience?: string | readonly string[]
  /** Entra, Auth0: the API asked for, from which the audience follows. */
  readonly api?: string
  readonly expiresInSeconds?: number
  readonly wrong?: readonly LabTokenFault[]
}

export interface TokenEndpoint extends TokenReaders {
  /** @param path the token endpoint, as called. @param isShared Entra's `/common`. */
  token(request: Request, path: string, isShared: boolean): Promise<Response>
  mint(wish: LabAccessTokenWish, user: LabUser | undefined): string
  find(token: string): IssuedToken | undefined
  revokeToken(token: string): boolean
  revokeAllTokens(): number
  /** A refresh token by hand, as after a sign-in. */
  mintRefreshToken(wish: LabAccessTokenWish, user: LabUser | undefined): string
  /** @returns how many families were ended. */
  revokeRefreshTokens(token?: string): number
}
