import type { AssertionProfile, ConnectionGrant, ScopePolicy } from '../connection.ts'

/** The settings that an address is made of. */
export const ADDRESS_PARTS = [
  'tenant',
  'cloud',
  'domain',
  'url',
  'realm',
  'authorizationServer',
  'environment',
] as const

export type AddressPart = (typeof ADDRESS_PARTS)[number]

export type AuthenticationMethod =
  | 'client_secret_basic'
  | 'client_secret_basic_raw'
  | 'client_secret_post'
  | 'client_secret_auto'
  | 'private_key_jwt'
  | 'tls_client_auth'
  | 'none'

/**
 * What is known of a kind of provider: plain data, so that another kind is another file. Everything
 * in it is a default that a connection may replace. `{name}` in an address stands for a setting;
 * `[…{name}…]` is left out where that setting is.
 */
export interface ConnectionPreset {
  readonly label: string
  /** Where to read about it. */
  readonly documentation: string
  /** Absent: `issuer` or `tokenEndpoint` must be given. */
  readonly issuer?: string
  /** Known without asking; absent: found in the metadata. */
  readonly tokenEndpoint?: string
  readonly authorizationEndpoint?: string
  readonly deviceAuthorizationEndpoint?: string
  /** Documents below the issuer, or made of settings, in the order they are looked for. */
  readonly metadata: readonly string[]
  /** Settings of the address that have a default. */
  readonly parts?: Readonly<Partial<Record<AddressPart, string>>>
  /** What to write for a setting of the address that is missing. */
  readonly fixes?: Readonly<Partial<Record<AddressPart, string>>>
  readonly grant: ConnectionGrant
  /** Where a connection names no `method`: with secrets, with a key. */
  readonly secretMethod: AuthenticationMethod
  readonly assertion: AssertionProfile
  /** Its algorithms for a client assertion; absent: any. */
  readonly algorithms?: readonly string[]
  /** Where the grant `jwt_bearer` names its scopes. */
  readonly bearerScopesIn?: 'assertion' | 'form'
  readonly scopePolicy: ScopePolicy
  readonly dpop: boolean
  /** Scopes that it refuses for a grant, so that they are not sent. */
  readonly strippedScopes?: Readonly<Partial<Record<ConnectionGrant, readonly string[]>>>
  readonly defaultLifetimeSeconds: number
  readonly parameters?: Readonly<Record<string, string>>
  readonly authorizationParameters?: Readonly<Record<string, string>>
  /** Rules that need code: see `find-connection-problems.ts`. */
  readonly rules?: readonly PresetRule[]
}

export type PresetRule =
  /** Client credentials ask for exactly one scope, `<resource>/.default`. */
  | 'one-default-scope'
  /** A tenant for everybody has no client credentials. */
  | 'own-tenant'
  /** Scopes must be named. */
  | 'scopes-required'
  /** An audience must be named. */
  | 'audience-required'
  /** Scopes of the management API go to apps with a key only. */
  | 'okta-org-server-needs-key'
