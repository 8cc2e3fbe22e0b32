/** Grants that a client can be registered for. */
export const GRANT_TYPES = [
  'client_credentials',
  'authorization_code',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:ietf:params:oauth:grant-type:token-exchange',
] as const
export type GrantType = (typeof GRANT_TYPES)[number]

/**
 * Who declares a client. `config`: the configuration, read-only elsewhere. `stored`: the admin API.
 * `internal`: the server itself. `dynamic`: the client itself, by dynamic registration.
 */
export type ClientSource = 'config' | 'stored' | 'internal' | 'dynamic'

/**
 * Whether a user is asked. `ask`: at every launch. `remember`: once per client and patient, until
 * the scopes grow. `skip`: never, which only an operator can decide.
 */
export const CONSENT_MODES = ['ask', 'remember', 'skip'] as const
export type ConsentMode = (typeof CONSENT_MODES)[number]

/** What a client is registered with, as it comes. */
export interface ClientRegistration {
  readonly name: string
  /** Space-separated: the most it may be granted. */
  readonly scopes: string
  readonly grants: readonly string[]
  /** Neither secret nor keys: an app that cannot keep one. PKCE protects its codes. */
  readonly public?: boolean
  /** Public keys for `private_key_jwt`; without them, and not `public`, the client gets a secret. */
  readonly jwks?: unknown
  readonly jwksUri?: string
  readonly redirectUris?: readonly string[]
  readonly postLogoutRedirectUris?: readonly string[]
  /** Where an EHR launch opens the app, which gets `iss` and `launch` there. */
  readonly launchUrl?: string
  /** Web origins that may call with CORS; those of the redirect URIs if public and not given. */
  readonly origins?: readonly string[]
  /** Access tokens only with DPoP. @see RFC 9449 */
  readonly dpopBound?: boolean
  /** Authorization requests only pushed. @see RFC 9126 */
  readonly requirePar?: boolean
  readonly backchannelLogoutUri?: string
  readonly logoUri?: string
  readonly clientUri?: string
  readonly policyUri?: string
  readonly tosUri?: string
  readonly consent?: string
  readonly accessTokenSeconds?: number
  readonly refreshTokenSeconds?: number
}

export interface NewClient extends ClientRegistration {
  /** Made from the name when missing. */
  readonly clientId?: string
}

/** What is to change; missing members stay, `null` goes back to the default. */
export type ClientChange = {
  readonly [Member in keyof ClientRegistration]?: ClientRegistration[Member] | null
} & { readonly disabled?: boolean }

/** A client as operators see it: nothing of it is secret. */
export interface ClientView {
  readonly clientId: string
  readonly name: string
  readonly source: ClientSource
  readonly authentication: 'secret' | 'jwks' | 'jwks_uri' | 'none'
  readonly public: boolean
  /** Installed on a device: its loopback redirect URIs match with any port. @see RFC 8252 */
  readonly native: boolean
  readonly grants: readonly GrantType[]
  readonly scopes: string
  readonly jwksUri?: string
  readonly keyIds?: readonly string[]
  /** One entry for each secret that is valid; the older ones of a rotation expire. */
  readonly secrets?: readonly { readonly expiresAt?: number }[]
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  readonly launchUrl?: string
  readonly origins: readonly string[]
  readonly dpopBound: boolean
  readonly requirePar: boolean
  readonly backchannelLogoutUri?: string
  readonly logoUri?: string
  readonly clientUri?: string
  readonly policyUri?: string
  readonly tosUri?: string
  readonly consent: ConsentMode
  readonly accessTokenSeconds?: number
  readonly refreshTokenSeconds?: number
  readonly disabled: boolean
  /** Epoch seconds. */
  readonly createdAt: number
}

/** What came of a change; a refusal says what to do, and goes to the operator as it is. */
export type ClientAnswer<Value> =
  | ({ readonly ok: true } & Value)
  | {
      readonly ok: false
      readonly status: 400 | 404 | 409
      readonly why: string
      readonly fix?: string
    }

/** A client, with the secret that a change has made for it, shown this once. */
export interface ClientWithSecret {
  readonly client: ClientView
  readonly clientSecret?: string
}

/** Who may ask for tokens. Secrets come out once, where they are made. */
export interface ClientRegistry {
  list(): Promise<readonly ClientView[]>
  find(clientId: string): Promise<ClientView | undefined>
  add(client: NewClient): Promise<ClientAnswer<ClientWithSecret>>
  /**
   * Changes a client that is not declared in the configuration. One that authenticated otherwise
   * and now has neither keys nor `public` gets a secret.
   */
  update(clientId: string, change: ClientChange): Promise<ClientAnswer<ClientWithSecret>>
  /** The secrets before the new one go on for `overlapSeconds`: default one day, 0 not at all. */
  rotateSecret(
    clientId: string,
    options?: { readonly overlapSeconds?: number },
  ): Promise<ClientAnswer<{ readonly clientSecret: string }>>
  /** Its refresh tokens end at once, the access tokens that it holds within seconds. */
  remove(clientId: string): Promise<ClientAnswer<object>>
  /** Access tokens that it holds end within seconds; what users granted is kept until it is enabled. */
  setDisabled(
    clientId: string,
    disabled: boolean,
  ): Promise<ClientAnswer<{ readonly client: ClientView }>>
}
