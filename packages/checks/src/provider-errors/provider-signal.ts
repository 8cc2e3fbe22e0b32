/** Where a token is got for, as `connections[].preset` names it; `any`: everywhere. */
export const PROVIDER_NAMES = [
  'entra',
  'google',
  'okta',
  'auth0',
  'keycloak',
  'epic',
  'oracle-health',
  'athenahealth',
  'smart',
  'generic',
] as const

export type ProviderName = (typeof PROVIDER_NAMES)[number]

/** Who is to blame; the same words as `FAILURE_KINDS` of the oauth-model package. */
export type ProviderErrorKind =
  | 'configuration'
  | 'administration'
  | 'sign-in'
  | 'temporary'
  | 'rate'
  | 'clock'
  | 'network'
  | 'permission'

/** What was being done when it went wrong. */
export type ProviderStage = 'credential' | 'discovery' | 'token' | 'device' | 'resource'

/** What the broker and sign-in say by themselves, as the codes of their failures. */
export const BROKER_FINDINGS = [
  'connection_unknown',
  'scope_not_configured',
  'sign_in_needed',
  'refresh_token_lost',
  'refresh_token_uncertain',
  'refresh_token_missing',
  'sign_in_not_offered',
  'sign_in_unknown',
  'sign_in_answer_invalid',
  'redirect_uri_refused',
  'store_unavailable',
  'token_request_timeout',
  'token_wait_timeout',
  'token_expired_on_arrival',
  'token_life_too_short',
  'request_failed',
  'key_unusable',
  'key_unreachable',
] as const

/** What this server found by itself, before a request or in an answer that says no error. */
export const PROVIDER_FINDINGS = [
  'secret_unset',
  'secret_empty',
  'secret_placeholder',
  'key_passphrase',
  'key_unreadable',
  'key_certificate_mismatch',
  'certificate_expired',
  'plain_http',
  'issuer_mismatch',
  'endpoint_missing',
  'timeout',
  'redirected',
  'answer_malformed',
  'answer_too_large',
  'access_token_missing',
  'token_type_unsupported',
  'token_already_expired',
  'scope_policy',
  'fresh_token_refused',
  ...BROKER_FINDINGS,
] as const

export type ProviderFinding = (typeof PROVIDER_FINDINGS)[number]

/** What is known of a secret without saying it: see `secretFacts`. */
export interface SecretFacts {
  /** The reference it came from: `env:LAB_SECRET`. */
  readonly source?: string
  readonly lengthCharacters: number
  /** Shaped like a GUID: Entra's "Secret ID", which is not the secret. */
  readonly isGuid: boolean
  readonly hasEdgeWhitespace: boolean
  readonly isQuoted: boolean
  readonly hasByteOrderMark: boolean
  /** `${NAME}` or `<…>` that nobody filled in. */
  readonly isPlaceholder: boolean
  /** Holds characters that HTTP Basic must percent-encode, and some servers do not decode. */
  readonly needsEncoding: boolean
}

/** What a token says, as far as it explains a refusal of a resource. */
export interface TokenFacts {
  readonly audiences: readonly string[]
  readonly issuer?: string
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  /** `exp` minus now; negative when it has passed. Missing for an opaque token. */
  readonly secondsLeft?: number
  readonly isOpaque: boolean
  /** Nobody is behind it: client credentials. */
  readonly isAppOnly: boolean
}

/**
 * Everything known of one failure: what the provider said, and what is known here. All of it is
 * shown; none of it is a secret.
 */
export interface ProviderSignal {
  readonly stage?: ProviderStage
  readonly preset?: string
  readonly finding?: ProviderFinding

  readonly status?: number
  readonly error?: string
  readonly description?: string
  readonly errorUri?: string
  /** `AADSTS` numbers; read from the description where the answer has no list of them. */
  readonly codes?: readonly number[]
  /** `code` of a Node or OpenSSL error. */
  readonly nodeCode?: string
  readonly contentType?: string
  /** First characters of an answer that was no OAuth answer. */
  readonly excerpt?: string
  readonly traceId?: string
  readonly correlationId?: string
  readonly retryAfterSeconds?: number

  readonly connection?: string
  readonly grant?: string
  /** As `authentication.method` of a connection. */
  readonly authentication?: string
  readonly clientId?: string
  readonly issuer?: string
  /** The address that was asked. */
  readonly endpoint?: string
  readonly tenant?: string
  readonly scopes?: readonly string[]
  readonly audience?: string
  readonly subject?: string
  readonly secret?: SecretFacts
  /** Thumbprints of the certificate that was sent. */
  readonly certificate?: { readonly 'x5t#S256': string; readonly x5t?: string }
  /** `kid` of the key that signed the assertion. */
  readonly keyId?: string
  readonly assertionAudience?: string
  readonly assertionAlgorithm?: string
  /** The provider's clock minus ours. */
  readonly clockSkewSeconds?: number
  /** `https://proxy:3128 (HTTPS_PROXY)` or `none`. */
  readonly proxy?: string
  /** Names of the parameters sent, never values. */
  readonly parameters?: readonly string[]
  /** Where something differs from what was expected: `issuer_mismatch`, `scope_policy`. */
  readonly expected?: string
  readonly got?: string

  readonly resource?: string
  readonly token?: TokenFacts
  /** Scopes that the resource asked for in `WWW-Authenticate`. */
  readonly neededScopes?: readonly string[]
  /** The challenge carries `claims=`: continuous access evaluation. */
  readonly hasClaimsChallenge?: boolean
}
