import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CallerDetail } from '@scopegate/checks'
import type { RegistrationTokens } from '@scopegate/oauth-model'
import type { Sealer } from '@scopegate/secrets'
import type { KeySource, NetworkPolicy, OpaqueResolver, UsedProofs } from '@scopegate/token-verify'
import type { Provider } from 'oidc-provider'
import type { Pool, PoolClient } from 'pg'
import type { AdminCredential } from './admin-credential.ts'
import type { Client } from './clients/client.ts'
import type { ClientRegistry } from './clients/client-registry.ts'
import type { Controller } from './controller.ts'
import type { People } from './engine/engine-deps.ts'
import type { EnginePages } from './engine/pages.ts'
import type { Grants } from './grants/grants.ts'
import type { SigningKeys } from './keys/signing-keys.ts'
import type { Launches } from './launches/launches.ts'
import type { SmartConfiguration } from './metadata/smart-configuration.ts'
import type { RegistrationEvent } from './registration/create-registration.ts'
import type { ProtectedResource } from './resources.ts'
import type { Revocations } from './revocation/revocations.ts'
import type { TokenRevoked } from './revocation/revoke-token.ts'
import type { OpenidHandling } from './token/grant-scopes.ts'
import type { TokenIssued, TokenRefusal } from './token/token-refusal.ts'
import type { TokenExchangeDeps } from './token-exchange/token-exchange-policy.ts'

export interface AuthorizationServerDeps {
  readonly storage: {
    readonly pool: Pool
    transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T>
  }
  readonly sealer: Sealer
  /** The base URL of the server: scheme, host and port, no path. */
  readonly issuer: string
  /** The APIs that tokens are issued for: FHIR endpoints, the admin API. */
  readonly resources: readonly ProtectedResource[]
  /** Of client credentials: at most 300. */
  readonly accessTokenSeconds?: number
  /** Of users; a client may have its own. */
  readonly userAccessTokenSeconds?: number
  /** Of a refresh token that is not used. */
  readonly refreshTokenSeconds?: number
  /** How long a repeated refresh gets the same answer. */
  readonly refreshGraceSeconds?: number
  readonly launchSeconds?: number
  readonly openidOnClientCredentials?: OpenidHandling
  readonly clockToleranceSeconds?: number
  /** Whose access tokens clients may exchange for one of ours. Missing: nobody's. */
  readonly tokenExchange?: TokenExchangeDeps | undefined
  /** Who signs in, and where. Without it there are the flows of programs only. */
  readonly signIn?: SignInDeps
  readonly limits?: {
    /** Token requests of one client. */
    readonly requestsPerMinute?: number
    /** Failed client authentications from one address. */
    readonly failuresPerMinute?: number
    /** Sign-ins begun from one address, device and pushed requests included. */
    readonly startsPerMinute?: number
  }
  /** 32 bytes for one use, the same in every process and after every start. Needed by `signIn`. */
  readonly deriveKey?: (use: string) => Uint8Array
  /** Where key sets of clients may be fetched from; by default loopback only if the issuer is. */
  readonly network?: Partial<NetworkPolicy>
  /** Which proofs of possession were used; those of this process by default. */
  readonly usedProofs?: UsedProofs
  /** Refuse assertions without `iat`, which SMART allows. */
  readonly requireAssertionIssuedAt?: boolean
  /** Epoch milliseconds. */
  readonly nowMs?: () => number
  /** The address that limits count for; the peer's by default. A trusted proxy's header is read here. */
  readonly clientAddress?: (request: IncomingMessage) => string
  readonly correlationId?: (request: IncomingMessage) => string
  /** How much clients may read of refused requests; default `standard`. */
  readonly callers?: CallerDetail
  /** Every failed token request, so that nothing is refused silently. */
  readonly onTokenRefused?: (refusal: TokenRefusal) => void
  readonly onTokenIssued?: (issued: TokenIssued) => void
  /** A client has ended a token or a grant of its own. */
  readonly onTokenRevoked?: (revoked: TokenRevoked) => void
  /** Every request to the registration endpoint, for the audit. */
  readonly onRegistration?: (event: RegistrationEvent) => Promise<void> | void
  /**
   * What was granted to an app has ended, with the session or without it. @returns whether the app is
   * one of this server, which is told here; others are told of logouts over HTTP.
   */
  readonly endAppSession?: (ended: EndedAppSession) => Promise<boolean>
  /** Our own failures: the client reads only `server_error`. */
  readonly onError?: (error: unknown, correlationId: string) => void
}

/** As a logout token would say it. */
export interface EndedAppSession {
  /** Missing where the session alone is known. */
  readonly clientId?: string
  readonly subject?: string
  readonly sid: string
}

export interface SignInDeps extends People {
  /** What the engine shows itself: errors, logout, user codes. */
  readonly pages?: EnginePages
  /** Pages may be shown in frames of other sites, so that cookies must reach them there. */
  readonly embedded?: boolean
  /** What answers `/oauth/interaction/*`, `/account*` and the like. */
  readonly controllers: (parts: SignInParts) => readonly Controller[]
}

/** What the pages of a sign-in need of the server. */
export interface SignInParts {
  readonly issuer: string
  readonly engine: () => Provider
  readonly grants: Grants
  readonly launches: Launches
  readonly findClient: (clientId: string) => Promise<Client | undefined>
  /** The API that a request is for, from its `resource`; as grants and tokens spell it. */
  readonly resourceOf: (params: Readonly<Record<string, unknown>>) => string
  /** The same with its scopes. */
  readonly protectedResourceOf: (params: Readonly<Record<string, unknown>>) => ProtectedResource
  /** What an ordinary API says that a scope of its own permits. */
  readonly apiScopeTitle: (scope: string) => string | undefined
  readonly userAccessTokenSeconds: number
  readonly refreshTokenSeconds: number
  readonly correlationIdOf: (request: IncomingMessage) => string
  readonly addressOf: (request: IncomingMessage) => string
  readonly nowMs: () => number
  /** Ends a session with all that belongs to it, and tells the clients that want to know. */
  readonly logOut: (sessionId: string) => Promise<void>
}

export interface AuthorizationServer {
  /** Answers the requests to `routes`; others get 404. */
  readonly node: (request: IncomingMessage, response: ServerResponse) => void
  /** Paths; one that ends in `/*` stands for all below it too. */
  readonly routes: readonly string[]
  readonly issuer: string
  readonly tokenEndpoint: string
  /** For `<FHIR base>/.well-known/smart-configuration`. */
  smartConfiguration(fhirBase: string): SmartConfiguration
  /** The keys of our own tokens, for a verifier in this process. */
  readonly keySource: KeySource
  /** Own tokens that are no JWT, for the issuer's entry in a verifier. */
  readonly resolveOpaque: OpaqueResolver
  /** Which own tokens were ended before they expire; `isRevoked` is for a verifier. */
  readonly revocations: Revocations
  /** Whether pages of this origin may call the APIs: it belongs to a public client. */
  readonly isRegisteredOrigin: (origin: string) => boolean | Promise<boolean>
  readonly clients: ClientRegistry
  readonly grants: Grants
  readonly launches: Launches
  /** Initial access tokens of dynamic registration. */
  readonly registrationTokens: RegistrationTokens
  /** Signs a JWT of this server that is no token of OAuth; `typ` must say what it is. */
  signJwt(claims: Readonly<Record<string, unknown>>, typ: string): Promise<string>
  /** The public keys as published. */
  jwks(): Promise<{ readonly keys: readonly object[] }>
  /**
   * A credential for the admin API, for whoever runs the server: a new secret for the holder
   * `label`, whose former one ends. To be written to a file of mode 0600.
   */
  issueAdminCredential(label: string): Promise<AdminCredential>
  readonly signingKeys: Pick<SigningKeys, 'list' | 'rotate' | 'rotateIfOlder'>
  /** Stops the cleaning of expired rows. */
  close(): void
}
