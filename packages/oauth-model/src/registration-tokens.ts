/** What clients may be registered with an initial access token. */
export interface RegistrationPolicy {
  /** Space-separated: the most a client may register for. */
  readonly scopes: string
  readonly grants: readonly string[]
  /** `none`, `client_secret_basic`, `client_secret_post`, `private_key_jwt`. */
  readonly authMethods: readonly string[]
  /**
   * Hosts of redirect URIs and other addresses: `app.example`, `localhost`; a private-use scheme as
   * `com.example.app:`. Empty: none, so no client with `authorization_code`.
   */
  readonly redirectHosts: readonly string[]
}

/** An initial access token as operators see it. @see RFC 7591 §3 */
export interface RegistrationTokenView extends RegistrationPolicy {
  readonly id: string
  readonly name: string
  readonly uses: number
  readonly usesLeft: number
  /** Epoch seconds. */
  readonly createdAt: number
  readonly expiresAt?: number
}

export interface NewRegistrationToken {
  readonly name: string
  readonly scopes: string
  /** Those of the scopes when missing. */
  readonly grants?: readonly string[]
  readonly authMethods?: readonly string[]
  readonly redirectHosts?: readonly string[]
  /** How many clients; 1 when missing. */
  readonly uses?: number
  /** A day when missing. */
  readonly expiresInSeconds?: number
}

/** Who may register clients by dynamic registration. */
export interface RegistrationTokens {
  list(): Promise<readonly RegistrationTokenView[]>
  /** The token comes out once, here. */
  create(
    wanted: NewRegistrationToken,
  ): Promise<
    | { readonly ok: true; readonly view: RegistrationTokenView; readonly token: string }
    | { readonly ok: false; readonly why: string; readonly fix: string }
  >
  /** Clients registered with it stay. @returns whether there was one. */
  remove(id: string): Promise<boolean>
}
