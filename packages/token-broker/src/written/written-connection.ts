import type { ASSERTION_HEADERS, ConnectionGrant, ScopePolicy } from '../connection.ts'
import type { ConnectionPresetName } from '../presets/index.ts'
import type { AddressPart, AuthenticationMethod } from '../presets/preset.ts'

type OrUndefined<T> = { readonly [member in keyof T]?: T[member] | undefined }

/** How this client proves who it is, without the proof. */
export type WrittenAuthentication = OrUndefined<{
  method: AuthenticationMethod
  /** Algorithm of assertions. Default: by preset, else by key. */
  alg: string
  /** `aud` of client assertions: `token-endpoint`, `issuer`, or a value. */
  audience: string
  headers: readonly (typeof ASSERTION_HEADERS)[number][]
  lifetimeSeconds: number
  /** `kid` of client assertions. Default: that of the key. */
  keyId: string
  /** `jku`: where the provider reads our public keys. */
  jwksUrl: string
}>

/** The assertion that is itself the grant of `jwt_bearer`. */
export type WrittenAssertion = OrUndefined<{
  /** Default: `clientId`. */
  issuer: string
  audience: string
  lifetimeSeconds: number
  scopesIn: 'assertion' | 'form'
  claims: Readonly<Record<string, unknown>>
}>

export type WrittenExchange = OrUndefined<{
  subjectTokenType: string
  actorTokenType: string
  requestedTokenType: string
}>

/** A connection as a file spells it, or a program that uses the library: without secrets. */
export type WrittenConnection = OrUndefined<Record<AddressPart, string>> &
  OrUndefined<{
    issuer: string
    /** Other names that its metadata may state. */
    aliases: readonly string[]
    tokenEndpoint: string
    authorizationEndpoint: string
    deviceAuthorizationEndpoint: string
    metadataUrl: string
    grant: ConnectionGrant
    authentication: WrittenAuthentication
    assertion: WrittenAssertion
    exchange: WrittenExchange
    scopes: readonly string[]
    scopePolicy: ScopePolicy
    audience: string
    resource: string
    subject: string
    parameters: Readonly<Record<string, string>>
    authorizationParameters: Readonly<Record<string, string>>
    redirectUri: string
    dpop: boolean
    defaultLifetimeSeconds: number
    keepAliveHours: number
    timeoutSeconds: number
    /** `environment`, `none` or a URL. Default: `environment`. */
    proxy: string
    callers: readonly string[]
  }> & {
    readonly name: string
    /** Default: `generic`. */
    readonly preset?: ConnectionPresetName | undefined
    readonly clientId: string
  }

/** Which proofs there are; what they hold is nobody's business here. */
export interface CredentialsPresent {
  readonly secrets: boolean
  /** That signs. */
  readonly key: boolean
  /** The key has one, or may have: of a key by name it is not known before it signs. */
  readonly certificate: boolean
  /** Certificate and private key that TLS can show. */
  readonly tlsCertificate: boolean
  readonly subjectToken: boolean
  readonly refreshToken: boolean
}

/** A setting of a connection that cannot be used. `path` is below the connection. */
export interface ConnectionProblem {
  readonly path: readonly string[]
  readonly message: string
  readonly fix: string
}
