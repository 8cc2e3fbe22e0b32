/** Grants that a client can be registered for. */
export const GRANT_TYPES = ['client_credentials'] as const
export type GrantType = (typeof GRANT_TYPES)[number]

/**
 * Who declares a client. `config`: the configuration, read-only here. `stored`: the admin API.
 * `internal`: the server itself.
 */
export type ClientSource = 'config' | 'stored' | 'internal'

/** A hashed secret. */
export interface ClientSecret {
  /** SHA-256, base64url. */
  readonly hash: string
  /** Epoch seconds; missing: until it is replaced. */
  readonly expiresAt?: number
}

/** A client as the token endpoint needs it. */
export interface Client {
  readonly id: string
  readonly name: string
  readonly source: ClientSource
  readonly grants: readonly GrantType[]
  /** Space-separated: the most it may be granted. */
  readonly scopes: string
  readonly secrets: readonly ClientSecret[]
  /** Public keys, inline. At most one of `jwks` and `jwksUri`. */
  readonly jwks?: { readonly keys: readonly object[] }
  readonly jwksUri?: string
  readonly disabled: boolean
  /** Epoch seconds. */
  readonly createdAt: number
}

/** A client as operators see it: nothing of it is secret. */
export interface ClientView {
  readonly clientId: string
  readonly name: string
  readonly source: ClientSource
  readonly authentication: 'secret' | 'jwks' | 'jwks_uri'
  readonly grants: readonly GrantType[]
  readonly scopes: string
  readonly jwksUri?: string
  readonly keyIds?: readonly string[]
  /** One entry for each secret that is valid; the older ones of a rotation expire. */
  readonly secrets?: readonly { readonly expiresAt?: number }[]
  readonly disabled: boolean
  /** Epoch seconds. */
  readonly createdAt: number
}

export function viewOf(client: Client): ClientView {
  const { id, name, source, grants, scopes, disabled, createdAt, jwks, jwksUri, secrets } = client
  const common = { clientId: id, name, source, grants, scopes, disabled, createdAt }
  if (jwksUri !== undefined) return { ...common, authentication: 'jwks_uri', jwksUri }
  if (jwks !== undefined) {
    const keyIds = jwks.keys.map((key) => String((key as { kid?: unknown }).kid))
    return { ...common, authentication: 'jwks', keyIds }
  }
  return {
    ...common,
    authentication: 'secret',
    secrets: secrets.map(({ expiresAt }) => (expiresAt === undefined ? {} : { expiresAt })),
  }
}
