/** What the discovery documents say of the server beside what the engine knows. */
export interface MetadataFacts {
  readonly issuer: string
  /** People can sign in: flows with a user, ID tokens, launches. */
  readonly hasUsers: boolean
  readonly hasRegistration: boolean
  /** Where users see and end what they granted. */
  readonly managementUrl?: string | undefined
  /** How clients may authenticate at the token endpoint; `none` is of public ones. */
  readonly authMethods: readonly string[]
  readonly signingAlgorithms: readonly string[]
  readonly paths: {
    readonly authorization: string
    readonly token: string
    readonly jwks: string
    readonly introspection: string
    readonly revocation: string
    readonly registration: string
    readonly userinfo: string
  }
}
