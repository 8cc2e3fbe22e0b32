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

/** A connection ready for use: the preset applied, references read, everything checked. */
export interface Connection {
  readonly name: string
  /** Which preset it was made from: decides the words of explanations. */
  readonly preset: string
  readonly grant: ConnectionGrant
  /** Where tokens come from; found by discovery where only an issuer is given. */
  readonly issuer?: string
  readonly tokenEndpoint?: string
  readonly authorizationEndpoint?: string
  readonly deviceAuthorizationEndpoint?: string
  readonly clientId: string
  readonly authentication: ConnectionAuthentication
  readonly scopes: readonly string[]
  readonly scopePolicy: 'accept' | 'warn' | 'require-subset' | 'exact'
  readonly audience?: string
  /** RFC 8707 `resource`. */
  readonly resource?: string
  /** On whose behalf (`jwt_bearer`, `token_exchange`). */
  readonly subject?: string
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
}

/** Secrets are asked for at each request, newest first: several while one is replaced. */
export type ConnectionAuthentication =
  | { readonly method: 'none' }
  | {
      readonly method: 'client_secret_basic' | 'client_secret_basic_raw' | 'client_secret_post'
      readonly secrets: () => readonly string[]
    }
  | {
      readonly method: 'private_key_jwt'
      readonly assertion: AssertionProfile
      /** The key that signs now. */
      readonly signer: () => Promise<KeySigner>
    }
  | { readonly method: 'tls_client_auth' }

/** What a provider wants of a client assertion. @see RFC 7523 §3 */
export interface AssertionProfile {
  readonly alg: string
  readonly audience: 'token-endpoint' | 'issuer' | { readonly value: string }
  readonly headers: readonly ('kid' | 'typ' | 'x5t' | 'x5t#S256' | 'x5c' | 'jku')[]
  readonly lifetimeSeconds: number
  readonly jwksUrl?: string
}

export interface ConnectionTransport {
  /** Of one token request, from the name to the last byte. A lease lives longer. */
  readonly timeoutMs: number
  /** PEM, added to what the system trusts. */
  readonly ca?: string
  /** `http://proxy:3128`, or `environment` for HTTPS_PROXY and NO_PROXY, or `none`. */
  readonly proxy: string
  /** For mTLS: PEM. */
  readonly certificate?: { readonly certificate: string; readonly key: () => string }
  /** Plain HTTP is for loopback only. */
  readonly allowPlain: boolean
}
