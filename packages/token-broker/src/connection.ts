import type { KeySigner } from '@scopegate/keys'

export const CONNECTION_GRANTS = [
  'client_credentials',
  'refresh_token',
  'jwt_bearer',
  'authorization_code',
  'device_code',
  'token_exchange',
] as const

export type ConnectionGrant = (typeof CONNECTION_GRANTS)[number]

export const SCOPE_POLICIES = ['accept', 'warn', 'require-subset', 'exact'] as const

/**
 * What is done when other scopes come back than were asked for. `accept`: nothing. `warn`: a
 * warning, if some are missing. `require-subset`: no token, if some are missing. `exact`: no token
 * either, if there are more.
 */
export type ScopePolicy = (typeof SCOPE_POLICIES)[number]

/** A connection ready for use: the preset applied, references read, everything checked. */
export interface Connection {
  readonly name: string
  /** Which preset it was made from: decides the words of explanations. */
  readonly preset: string
  readonly grant: ConnectionGrant
  /** Where tokens come from; found by discovery where only an issuer is given. */
  readonly issuer?: string
  /** Other names that the metadata may state as `issuer`. */
  readonly issuerAliases: readonly string[]
  /** Where the metadata may be, in the order in which it is looked for; empty: nowhere. */
  readonly metadataUrls: readonly string[]
  readonly tokenEndpoint?: string
  readonly authorizationEndpoint?: string
  readonly deviceAuthorizationEndpoint?: string
  readonly clientId: string
  readonly authentication: ConnectionAuthentication
  readonly scopes: readonly string[]
  readonly scopePolicy: ScopePolicy
  /** Scopes that this provider refuses for this grant: never sent, whoever asks. */
  readonly strippedScopes: readonly string[]
  readonly audience?: string
  /** RFC 8707 `resource`. */
  readonly resource?: string
  /** On whose behalf (`jwt_bearer`, `token_exchange`). */
  readonly subject?: string
  /** More parameters of token requests, as the provider documents them. Never secret. */
  readonly parameters: Readonly<Record<string, string>>
  /** More parameters of authorization requests (`prompt`, `access_type`). */
  readonly authorizationParameters: Readonly<Record<string, string>>
  /** Where users come back to after signing in, where it is not a loopback address of the CLI. */
  readonly redirectUri?: string
  /** The assertion of `jwt_bearer`. */
  readonly bearerAssertion?: BearerAssertion
  /** What `token_exchange` exchanges. */
  readonly exchange?: TokenExchangeInput
  /** The refresh token to begin with, where none came by a sign-in yet. */
  readonly refreshToken?: () => string
  /** Prove possession of a key (RFC 9449). */
  readonly dpop: boolean
  readonly transport: ConnectionTransport
  /** Used where the answer says no lifetime and the token is no JWT. */
  readonly defaultLifetimeSeconds: number
  /** An idle refresh token is used that often; 0: never. */
  readonly keepAliveSeconds: number
  /** Who may use it, beside operators: client ids; empty: nobody but them. */
  readonly callers: readonly string[]
  /** Changes whenever a token got before must not be used any more. Holds nothing secret. */
  readonly revision: string
  /** Changes when a secret, key or certificate does: then a refusal is worth another attempt. */
  readonly credentialVersion: () => string
}

/** Secrets are asked for at each request, newest first: several while one is replaced. */
export type ConnectionAuthentication =
  | { readonly method: 'none' }
  | {
      readonly method: SecretMethod
      readonly secrets: () => readonly string[]
      /** Where the secrets come from, in the same order: `env:LAB_SECRET`. For explanations. */
      readonly sources?: readonly string[]
    }
  | {
      readonly method: 'private_key_jwt'
      readonly assertion: AssertionProfile
      /** The key that signs now. */
      readonly signer: () => Promise<KeySigner>
    }
  | { readonly method: 'tls_client_auth' }

/**
 * `client_secret_basic` percent-encodes as RFC 6749 §2.3.1 wants it, `client_secret_basic_raw` does
 * not. `client_secret_auto` tries Basic, and the form once if that is refused: two failed logins.
 */
export type SecretMethod =
  | 'client_secret_basic'
  | 'client_secret_basic_raw'
  | 'client_secret_post'
  | 'client_secret_auto'

export const ASSERTION_HEADERS = ['kid', 'typ', 'x5t', 'x5t#S256', 'x5c', 'jku'] as const

/** What a provider wants of a client assertion. @see RFC 7523 §3 */
export interface AssertionProfile {
  /** Missing: what the key is for. */
  readonly alg?: string
  readonly audience: 'token-endpoint' | 'issuer' | { readonly value: string }
  readonly headers: readonly (typeof ASSERTION_HEADERS)[number][]
  readonly lifetimeSeconds: number
  readonly jwksUrl?: string
  /** Replaces the `kid` of the key. */
  readonly keyId?: string
}

/** The assertion that is itself the grant. @see RFC 7523 §2.1 */
export interface BearerAssertion {
  readonly profile: AssertionProfile
  readonly signer: () => Promise<KeySigner>
  readonly issuer: string
  /** Google reads the scopes in the assertion; others, in the form. */
  readonly scopesIn: 'assertion' | 'form'
  readonly claims: Readonly<Record<string, unknown>>
}

/** @see RFC 8693 §2.1 */
export interface TokenExchangeInput {
  readonly subjectToken: () => string
  readonly subjectTokenType: string
  readonly actorToken?: () => string
  readonly actorTokenType?: string
  readonly requestedTokenType?: string
}

export interface ConnectionTransport {
  /** Of one token request, from the name to the last byte. A lease lives longer. */
  readonly timeoutMs: number
  /** PEM, added to what the system trusts. */
  readonly ca?: string
  /** `http://proxy:3128`, or `environment` for HTTPS_PROXY and NO_PROXY, or `none`. */
  readonly proxy: string
  /** For mTLS: PEM. */
  readonly certificate?: {
    readonly certificate: string
    readonly key: () => string
    readonly passphrase?: () => string
  }
  /** The connection itself is on loopback: only then are plain HTTP and loopback addresses used. */
  readonly allowPlain: boolean
}
