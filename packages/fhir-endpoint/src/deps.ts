import type { AccessAudit, TraceSink } from '@scopegate/audit'
import type { CallerDetail } from '@scopegate/checks'
import type { FhirBackend } from '@scopegate/fhir-model'
import type { ClientAddress, Handler } from '@scopegate/http'
import type { PasswordAuthentication, TokenVerifier } from '@scopegate/oauth-model'
import type { AccessPolicy } from '@scopegate/smart-scopes'
import type { FhirEndpointSettings } from './settings.ts'

/** How callers may say who they are. */
export interface AuthSchemes {
  /** HTTP Basic for users of this server; missing: refused. */
  readonly basic?: {
    readonly passwords: PasswordAuthentication
    /** Whose users they are. */
    readonly issuer: string
    /** The most that a password opens: scopes `user/…`, under the user policy of the endpoint. */
    readonly scopes: string
  }
  /** `false`: access tokens are refused. Default `true`. */
  readonly takesTokens?: boolean
}

/** What a FHIR endpoint is made of. */
export interface FhirEndpointDeps extends AuthSchemes {
  /** Public address, as in `Location` and `fullUrl`; never taken from a request. */
  readonly baseUrl: string
  readonly backend: FhirBackend
  /** `false`: the endpoint only explains, without data; the backend holds nothing. */
  readonly hasData?: boolean
  readonly verifier: TokenVerifier
  /** Accepted besides `baseUrl`, which always is. */
  readonly audiences?: readonly string[]
  /** Issuers trusted at this endpoint. */
  readonly issuers: readonly string[]
  readonly policy: AccessPolicy
  /** 32 random bytes that seal page links; the same in all processes. */
  readonly cursorKey: Uint8Array
  readonly audit: Pick<AccessAudit, 'record'>
  readonly traces: TraceSink
  /**
   * Whether pages of an origin may call the API. Missing: pages of every origin, since tokens travel
   * in `Authorization` only. What needs no token is open to all either way.
   */
  readonly isOriginAllowed?: (origin: string) => boolean | Promise<boolean>
  /** Whom limits count for; the peer by default. See `createClientAddress`. */
  readonly addressOf?: ClientAddress['of']
  /** Answers `/.well-known/smart-configuration`. */
  readonly smartConfiguration?: Handler
  /** For the CapabilityStatement. */
  readonly software?: { readonly name: string; readonly version: string }
  /** For the CapabilityStatement; missing without an authorization server of our own. */
  readonly oauth?: { readonly tokenUrl: string; readonly authorizeUrl?: string }
  readonly settings?: Partial<FhirEndpointSettings>
  /** How much callers may read of refusals; default `standard`. */
  readonly callers?: CallerDetail
  /** Epoch milliseconds. */
  readonly now?: () => number
  /** A new logical id. */
  readonly newId?: () => string
  /** Told of every answer 5xx and what caused it. The error may hold data: log with redaction. */
  readonly onError?: (error: unknown, correlationId: string) => void
  /** Told of every refused authentication, for limits on failures. */
  readonly onAuthenticationFailure?: (request: Request) => void
}
