import type { AssertionRules, LabClient } from '../lab-client.ts'
import type { LabUser } from '../lab-user.ts'
import type { TokenAnswer, TokenProblem } from './token-problem.ts'

/** An API that tokens are for, as it is registered at a provider. */
export interface LabApi {
  /** What apps ask for: Entra's App ID URI, Auth0's Identifier. */
  readonly uri: string
  /** Entra: the client ID of its registration. Made of the URI if not given. */
  readonly id?: string
  /** Entra: `requestedAccessTokenVersion` of its manifest. Default: that of the flavour. */
  readonly version?: '1.0' | '2.0'
}

/** What an access token is made of. */
export interface LabGrant {
  readonly client: LabClient
  /** Missing: the app acts for itself. */
  readonly user?: LabUser
  /** The `sub` of the user in ID tokens. */
  readonly subject?: string
  readonly sessionId?: string
  readonly scopes: readonly string[]
  /** App roles, permissions: what the provider has in their place. */
  readonly roles: readonly string[]
  readonly audience: string | readonly string[]
  readonly api?: LabApi
  /** As the flavour spells it in tokens of this kind. */
  readonly issuer: string
  readonly origin: string
  readonly tenant: string
  /** How the client showed who it is. */
  readonly proof: 'none' | 'secret' | 'key'
  /** Epoch seconds. */
  readonly now: number
  readonly expiresAt: number
  /** Random, of 32 hexadecimal digits. */
  readonly id: string
}

/** What a token request asks for, read in the way of the provider. */
export interface AskedAccess {
  readonly scopes: readonly string[]
  readonly audience: string | readonly string[]
  readonly api?: LabApi
}

/** What the lab was told when it was made. */
export interface AccessSettings {
  readonly apis: readonly LabApi[] | undefined
  readonly audience: string | undefined
  /** Scopes that exist; `undefined`: every one. */
  readonly scopes: readonly string[] | undefined
}

export interface AccessRequest extends AccessSettings {
  readonly client: LabClient
  /** The path that was called. */
  readonly path: string
  readonly form: URLSearchParams
  /** What the authorization request asked for; missing for an app that acts for itself. */
  readonly authorized?: { readonly scope: string; readonly audience: string | undefined }
}

/** How the access tokens and the token endpoint of a kind of provider look. */
export interface AccessFlavour {
  readonly seconds: number
  /** Paths at the origin; absent ones do not exist there either. */
  readonly paths: (base: string) => {
    readonly introspection?: string
    readonly revocation?: string
    /** Google's. */
    readonly tokenInfo?: string
  }
  /** The `iss` of access tokens, if it is not that of ID tokens. */
  readonly issuer?: (options: {
    readonly issuer: string
    readonly origin: string
    readonly tenant: string
    readonly api: LabApi | undefined
  }) => string
  /** Grants beside `authorization_code`. */
  readonly grants: readonly ('client_credentials' | 'jwt-bearer')[]
  /** What is asked for, or why it is not given. */
  readonly ask: (request: AccessRequest) => AskedAccess | TokenProblem
  /** Header and claims; `opaque` for tokens that only the provider reads. */
  readonly make: (
    grant: LabGrant,
  ) => { readonly header: object; readonly claims: Readonly<Record<string, unknown>> } | 'opaque'
  /** How an opaque token begins. */
  readonly opaquePrefix?: string
  /** Members of the token response beside `access_token`, `token_type` and `expires_in`. */
  readonly answer: (grant: LabGrant) => Readonly<Record<string, unknown>>
  /** What its assertions must be like, beside being signed and for it. */
  readonly assertions?: AssertionRules
  /** An ID token also comes where no user is. */
  readonly idTokenForApps?: boolean
  readonly refuse: (problem: TokenProblem) => TokenAnswer
  /** What is on the page where a redirect URI is not registered. */
  /** What is answered where there is nothing, if that is not a page. */
  readonly notFound?: (pathname: string) => Response
  readonly redirectPage: (redirectUri: string, clientId: string) => string
}

/** `a b` → `['a', 'b']`. */
export function words(text: string | null | undefined): string[] {
  return (text ?? '').split(' ').filter((word) => word !== '')
}

/** The first of `scopes` that does not exist. */
export function unknownScope(
  scopes: readonly string[],
  known: readonly string[] | undefined,
): string | undefined {
  return known && scopes.find((scope) => !OPENID_SCOPES.has(scope) && !known.includes(scope))
}

/** Scopes that ask for no access to an API. */
export const OPENID_SCOPES: ReadonlySet<string> = new Set([
  ...['openid', 'profile', 'email', 'offline_access', 'address', 'phone'],
])
