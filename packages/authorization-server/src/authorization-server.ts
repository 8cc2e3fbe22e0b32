import { randomBytes, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RegistrationTokens } from '@scopegate/oauth-model'
import type { Sealer } from '@scopegate/secrets'
import {
  createUsedProofs,
  isLoopbackHost,
  type KeySource,
  type NetworkPolicy,
  type OpaqueResolver,
} from '@scopegate/token-verify'
import type { Provider } from 'oidc-provider'
import type { Pool, PoolClient } from 'pg'
import { type AdminCredential, COMMAND_LINE } from './admin-credential.ts'
import { answerJson } from './answer-json.ts'
import { MAX_ACCESS_TOKEN_SECONDS } from './clients/check-registration.ts'
import type { Client } from './clients/client.ts'
import { createClientKeySets } from './clients/client-key-sets.ts'
import { type ClientRegistry, createClientRegistry } from './clients/client-registry.ts'
import { findClient } from './clients/client-store.ts'
import type { Controller } from './controller.ts'
import { answerPreflight } from './cors/cors.ts'
import { createRegisteredOrigins } from './cors/registered-origins.ts'
import {
  ASSERTION_ALGORITHMS,
  CLIENT_AUTH_METHODS,
  type EngineDeps,
  ROUTES,
} from './create-engine.ts'
import { sidOf } from './engine/adapt-models.ts'
import { forgetEngineSession } from './engine/cookies.ts'
import { createLogOut } from './engine/end-session.ts'
import type { People } from './engine/engine-deps.ts'
import { createModelStore } from './engine/model-store.ts'
import { type EnginePages, PLAIN_PAGES } from './engine/pages.ts'
import { postAsGet } from './engine/post-as-get.ts'
import { runEngine } from './engine/run-engine.ts'
import { forgetExpired } from './forget-expired.ts'
import { createGrants, type Grants } from './grants/grants.ts'
import {
  ACCESS_TOKEN_ALGORITHM,
  createSigningKeys,
  ID_TOKEN_ALGORITHM,
  type SigningKeys,
} from './keys/signing-keys.ts'
import { createLaunches, type Launches } from './launches/launches.ts'
import {
  ACCESS_TOKEN_SECONDS,
  CLEANUP_SECONDS,
  ID_TOKEN_SECONDS,
  OFFLINE_GRANT_SECONDS,
  ONLINE_GRANT_SECONDS,
  REFRESH_GRACE_SECONDS,
  REFRESH_TOKEN_SECONDS,
  USER_ACCESS_TOKEN_SECONDS,
} from './lifetimes.ts'
import type { MetadataFacts } from './metadata/metadata-facts.ts'
import { type SmartConfiguration, smartConfiguration } from './metadata/smart-configuration.ts'
import { createOwnEndpoints } from './own-endpoints/create-own-endpoints.ts'
import { createOwnTokens } from './own-endpoints/own-tokens.ts'
import { pinHost } from './pin-host.ts'
import { createRefreshAnswers } from './refresh/refresh-answers.ts'
import { createRegistration, type RegistrationEvent } from './registration/create-registration.ts'
import { createRegistrationTokens } from './registration/registration-tokens.ts'
import { findResource, type ProtectedResource } from './resources.ts'
import { createRevocations, type Revocations } from './revocation/revocations.ts'
import type { TokenRevoked } from './revocation/revoke-token.ts'
import { createRateLimiter, createTokenLimits } from './token/failure-limiter.ts'
import type { OpenidHandling } from './token/grant-scopes.ts'
import { createEarlyRefusals } from './token/refuse-early.ts'
import type { TokenIssued, TokenRefusal } from './token/token-refusal.ts'
import { createUsedAssertions } from './token/used-assertions.ts'

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
  /** Who signs in, and where. Without it there are the flows of programs only. */
  readonly signIn?: SignInDeps
  readonly limits?: {
    /** Token requests of one client. */
    readonly requestsPerMinute?: number
    /** Failed client authentications from one address. */
    readonly failuresPerMinute?: number
  }
  /** 32 bytes for one use, the same in every process and after every start. Needed by `signIn`. */
  readonly deriveKey?: (use: string) => Uint8Array
  /** Where key sets of clients may be fetched from; by default loopback only if the issuer is. */
  readonly network?: Partial<NetworkPolicy>
  /** Refuse assertions without `iat`, which SMART allows. */
  readonly requireAssertionIssuedAt?: boolean
  /** Epoch milliseconds. */
  readonly nowMs?: () => number
  /** The address that limits count for; the peer's by default. A trusted proxy's header is read here. */
  readonly clientAddress?: (request: IncomingMessage) => string
  readonly correlationId?: (request: IncomingMessage) => string
  /** Every failed token request, so that nothing is refused silently. */
  readonly onTokenRefused?: (refusal: TokenRefusal) => void
  readonly onTokenIssued?: (issued: TokenIssued) => void
  /** A client has ended a token or a grant of its own. */
  readonly onTokenRevoked?: (revoked: TokenRevoked) => void
  /** Every request to the registration endpoint, for the audit. */
  readonly onRegistration?: (event: RegistrationEvent) => Promise<void> | void
  /** Our own failures: the client reads only `server_error`. */
  readonly onError?: (error: unknown, correlationId: string) => void
}

export interface SignInDeps extends People {
  /** What the engine shows itself: errors, logout, user codes. */
  readonly pages?: EnginePages
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

const SERVED = [
  ROUTES.token,
  ROUTES.jwks,
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
] as const

/** Where users and their devices are. */
const SERVED_TO_USERS = [
  ROUTES.authorization,
  ROUTES.pushed_authorization_request,
  ROUTES.device_authorization,
  ROUTES.code_verification,
  ROUTES.end_session,
] as const
const BELOW = [ROUTES.authorization, ROUTES.code_verification, ROUTES.end_session] as const

/** Where pages of registered origins ask, beside our own endpoints. */
const FOR_PAGES: ReadonlySet<string> = new Set([
  ROUTES.token,
  ROUTES.pushed_authorization_request,
  ROUTES.device_authorization,
])

/**
 * The authorization server: oidc-provider behind our own storage, keys, clients and scopes. Makes
 * its signing keys at the first start.
 */
export async function createAuthorizationServer(
  deps: AuthorizationServerDeps,
): Promise<AuthorizationServer> {
  const issuerUrl = new URL(deps.issuer)
  if (issuerUrl.origin !== deps.issuer) {
    throw new TypeError(
      `issuer \`${deps.issuer}\` must be scheme, host and port only: \`${issuerUrl.origin}\``,
    )
  }
  const { storage, sealer, issuer } = deps
  const { pool } = storage
  const nowMs = deps.nowMs ?? Date.now
  const accessTokenSeconds = deps.accessTokenSeconds ?? ACCESS_TOKEN_SECONDS
  const clockToleranceSeconds = deps.clockToleranceSeconds ?? 30
  const network: NetworkPolicy = {
    allowLoopback: isLoopbackHost(issuerUrl.hostname),
    allowPrivateHosts: [],
    ...deps.network,
  }
  const transaction = storage.transaction.bind(storage)
  const { signIn } = deps
  const userAccessTokenSeconds = deps.userAccessTokenSeconds ?? USER_ACCESS_TOKEN_SECONDS
  const refreshTokenSeconds = deps.refreshTokenSeconds ?? REFRESH_TOKEN_SECONDS
  const longestTokenSeconds =
    signIn === undefined
      ? accessTokenSeconds
      : Math.max(
          accessTokenSeconds,
          userAccessTokenSeconds,
          ID_TOKEN_SECONDS,
          MAX_ACCESS_TOKEN_SECONDS,
        )
  const signingKeys = createSigningKeys({
    pool,
    transaction,
    sealer,
    nowMs,
    maxTokenSeconds: longestTokenSeconds + clockToleranceSeconds,
    algorithms:
      signIn === undefined
        ? [ACCESS_TOKEN_ALGORITHM]
        : [ACCESS_TOKEN_ALGORITHM, ID_TOKEN_ALGORITHM],
  })
  const usedAssertions = createUsedAssertions(pool)
  const limits = createTokenLimits({
    requestsPerMinute: deps.limits?.requestsPerMinute ?? 60_000,
    failuresPerMinute: deps.limits?.failuresPerMinute ?? 30,
    nowMs,
  })
  const grants = createGrants({
    pool,
    offlineSeconds: OFFLINE_GRANT_SECONDS,
    onlineSeconds: ONLINE_GRANT_SECONDS,
    onRevoked: (grantIds) => revocations.revokeGrant(...grantIds),
  })
  const launches = createLaunches({
    pool,
    ...(deps.launchSeconds === undefined ? {} : { seconds: deps.launchSeconds }),
  })
  const deriveKey = keyDerivation(deps)
  const graceSeconds = deps.refreshGraceSeconds ?? REFRESH_GRACE_SECONDS
  const engineDeps: EngineDeps = {
    pool,
    keySets: createClientKeySets({ network, nowMs }),
    usedAssertions,
    limits,
    models: createModelStore({ pool, sealer, userCodeKey: deriveKey('user codes') }),
    grants,
    refreshAnswers: createRefreshAnswers({ pool, sealer, graceSeconds }),
    userCodes: createRateLimiter(USER_CODES_PER_MINUTE, nowMs),
    issuer,
    resources: deps.resources,
    accessTokenSeconds,
    userAccessTokenSeconds,
    refreshTokenSeconds,
    clockToleranceSeconds,
    requireAssertionIssuedAt: deps.requireAssertionIssuedAt ?? false,
    openidOnClientCredentials: deps.openidOnClientCredentials ?? 'ignore',
    people: signIn,
    pages: signIn?.pages ?? PLAIN_PAGES,
    network,
    cookieKey: deriveKey('engine cookies'),
    dpopNonceKey: deriveKey('DPoP nonces'),
    now: () => Math.floor(nowMs() / 1000),
  }

  const correlationIdOf = deps.correlationId ?? (() => randomUUID())
  const addressOf = deps.clientAddress ?? peerAddress
  const early = createEarlyRefusals({ ...deps, nowMs, addressOf, correlationIdOf })
  const registrationTokens = createRegistrationTokens(pool)
  const endGrants = (clientId: string) => grants.revokeAllOfClient(clientId, 'client removed')
  const registration = createRegistration({
    ...{ pool, transaction, network, issuer, nowMs, addressOf, correlationIdOf },
    tokens: registrationTokens,
    endGrants,
    ...(deps.onRegistration && { onEvent: deps.onRegistration }),
  })
  const metadataFacts: MetadataFacts = {
    issuer,
    hasUsers: signIn !== undefined,
    hasRegistration: true,
    authMethods: signIn === undefined ? CLIENT_AUTH_METHODS : [...CLIENT_AUTH_METHODS, 'none'],
    signingAlgorithms: ASSERTION_ALGORITHMS,
    paths: ROUTES,
  }
  const revocations = createRevocations({
    pool,
    issuer,
    nowMs,
    maxTokenSeconds: longestTokenSeconds + clockToleranceSeconds,
  })
  const origins = createRegisteredOrigins({ pool, nowMs })
  // Both begin before the other is there, and ask each other only when requests come.
  const currentEngine = () => engine.ready()
  const ownTokens = createOwnTokens({
    ...{ issuer, engine: currentEngine, revocations, clockToleranceSeconds, nowMs },
    resources: deps.resources,
    keySource: signingKeys.keySource,
    findGrant: (grantId) => grants.find(grantId),
    dpop: { usedProofs: createUsedProofs(nowMs) },
  })
  const own = createOwnEndpoints({
    ...{ issuer, engine: currentEngine, revocations, limits, nowMs, addressOf, correlationIdOf },
    paths: ROUTES,
    tokens: ownTokens,
    findUser: async (id) => signIn?.users.find(id),
    endGrant: (grantId, reason) => grants.revoke(grantId, reason),
    isRegisteredOrigin: origins.isRegistered,
    finishRefusal: (ctx) => engine.finishAnswer(ctx),
    onTokenRefused: deps.onTokenRefused,
    onTokenRevoked: deps.onTokenRevoked,
    onError: deps.onError,
  })
  const logOut = createLogOut({
    people: signIn,
    grants,
    async tellClient(clientId, userId, grantId) {
      const client = await (await engine.ready()).Client.find(clientId)
      if (client?.backchannelLogoutUri === undefined) return
      await (client as unknown as BackchannelClient).backchannelLogout(userId, sidOf(grantId))
    },
    onError: deps.onError,
  })
  const engine = await runEngine({
    ...{ engine: engineDeps, signingKeys, nowMs, addressOf, correlationIdOf, logOut },
    metadata: metadataFacts,
    own,
    isRegisteredOrigin: origins.isRegistered,
    onTokenRefused: deps.onTokenRefused,
    onTokenIssued: deps.onTokenIssued,
    onError: deps.onError,
  })
  const controllers =
    signIn?.controllers({
      ...{ issuer, grants, launches, correlationIdOf, addressOf, nowMs, logOut },
      ...{ userAccessTokenSeconds, refreshTokenSeconds },
      engine: engine.current,
      findClient: (id) => findClient(pool, id),
      resourceOf: ({ resource }) => findResource(String(resource), deps.resources).url,
    }) ?? []
  const isSecure = issuerUrl.protocol === 'https:'
  const exact: readonly string[] = signIn === undefined ? SERVED : [...SERVED, ...SERVED_TO_USERS]
  const below = signIn === undefined ? [] : BELOW.map((route) => `${route}/`)

  async function dispatch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request)
    if (registration.handles(path)) return registration.handle(request, response)
    if (own.paths.includes(path)) {
      const forwarded = await own.handle(request, response)
      if (forwarded === undefined) return
      pinHost(forwarded, issuerUrl)
      return engine.handle(forwarded, response)
    }
    const controller = controllers.find((each) => each.owns(path))
    if (controller !== undefined) {
      pinHost(request, issuerUrl)
      await engine.ready()
      return controller.handle(request, response)
    }
    if (!exact.includes(path) && !below.some((prefix) => path.startsWith(prefix))) {
      return answerJson(response, 404, {
        error: 'not_found',
        error_description: 'nothing is here',
      })
    }
    if (request.method === 'OPTIONS' && FOR_PAGES.has(path)) {
      const { origin } = request.headers
      const isRegistered = origin !== undefined && (await origins.isRegistered(origin))
      return answerPreflight(response, origin, isRegistered)
    }
    if (path === ROUTES.token && early.check(request, response)) return
    pinHost(request, issuerUrl)
    if (isAuthorization(path) || (path === ROUTES.code_verification && request.method === 'GET')) {
      forgetEngineSession(request, isSecure)
    }
    if (path === ROUTES.authorization && request.method === 'POST' && !(await postAsGet(request))) {
      return answerJson(response, 413, {
        error: 'invalid_request',
        error_description: 'the authorization request is longer than 56 KiB',
      })
    }
    await engine.handle(request, response)
  }

  const cleaning = setInterval(() => {
    Promise.all([
      usedAssertions.forgetExpired(),
      revocations.forgetExpired(),
      forgetExpired(transaction),
    ]).catch((error) => deps.onError?.(error, 'cleanup'))
  }, CLEANUP_SECONDS * 1000)
  cleaning.unref()

  const clients = createClientRegistry({ pool, transaction, network, endGrants })
  const tokenEndpoint = `${issuer}${ROUTES.token}`
  return {
    routes: [
      ...exact,
      ...below.map((prefix) => `${prefix}*`),
      ...own.paths,
      ...controllers.flatMap(({ routes }) => routes),
      `${registration.path}/*`,
    ],
    issuer,
    tokenEndpoint,
    keySource: signingKeys.keySource,
    resolveOpaque: ownTokens.resolveOpaque,
    revocations,
    isRegisteredOrigin: origins.isRegistered,
    clients,
    grants,
    launches,
    registrationTokens,
    jwks: async () => (await signingKeys.snapshot()).jwks,
    signingKeys,
    issueAdminCredential: async (label) => ({
      ...(await clients.issueInternal({ ...COMMAND_LINE, label })),
      token_endpoint: tokenEndpoint,
      resource: deps.resources.find(({ kind }) => kind === 'admin')?.url ?? '',
      scope: COMMAND_LINE.scopes,
    }),
    close: () => clearInterval(cleaning),

    node(request, response) {
      dispatch(request, response).catch((error: unknown) => {
        const correlationId = correlationIdOf(request)
        deps.onError?.(error, correlationId)
        if (pathOf(request) === ROUTES.token) early.failed(request, response, correlationId)
        else answerJson(response, 500, { error: 'server_error', correlation_id: correlationId })
      })
    },

    smartConfiguration: () => smartConfiguration(metadataFacts),
  }
}

/** What the types of the engine leave out. */
interface BackchannelClient {
  backchannelLogout(sub: string, sid: string): Promise<unknown>
}

/** Wrong user codes of one address. People mistype; who guesses needs millions. @see RFC 8628 §5.1 */
const USER_CODES_PER_MINUTE = 10

/** The authorization endpoint, and where the browser comes back to it. */
function isAuthorization(path: string): boolean {
  const { authorization, code_verification } = ROUTES
  return (
    path === authorization ||
    path.startsWith(`${authorization}/`) ||
    path.startsWith(`${code_verification}/`)
  )
}

/** Where nobody signs in there is nothing that outlives this process. */
function keyDerivation({ deriveKey, signIn }: AuthorizationServerDeps) {
  if (deriveKey !== undefined) return deriveKey
  if (signIn !== undefined) throw new TypeError('signIn needs deriveKey')
  return () => randomBytes(32)
}

function peerAddress(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? 'unknown'
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? ''
}
