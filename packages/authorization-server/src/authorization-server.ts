import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { createUsedProofs, isLoopbackHost, type NetworkPolicy } from '@scopegate/token-verify'
import { COMMAND_LINE } from './admin-credential.ts'
import { answerJson } from './answer-json.ts'
import type { AuthorizationServer, AuthorizationServerDeps } from './authorization-server-deps.ts'
import { createClientKeySets } from './clients/client-key-sets.ts'
import { createClientRegistry } from './clients/client-registry.ts'
import { findClient } from './clients/client-store.ts'
import { createRegisteredOrigins } from './cors/registered-origins.ts'
import {
  ASSERTION_ALGORITHMS,
  CLIENT_AUTH_METHODS,
  type EngineDeps,
  ROUTES,
} from './create-engine.ts'
import { createDispatcher, pathOf } from './dispatch.ts'
import { sidOf } from './engine/adapt-models.ts'
import { createLogOut } from './engine/end-session.ts'
import { createModelStore } from './engine/model-store.ts'
import { PLAIN_PAGES } from './engine/pages.ts'
import { runEngine } from './engine/run-engine.ts'
import { createTellClient } from './engine/tell-client.ts'
import { forgetExpired } from './forget-expired.ts'
import { createGrants } from './grants/grants.ts'
import { ACCESS_TOKEN_ALGORITHM, ID_TOKEN_ALGORITHM } from './keys/generate-signing-key.ts'
import { keyDerivation } from './keys/key-derivation.ts'
import { createSignJwt } from './keys/sign-jwt.ts'
import { createSigningKeys } from './keys/signing-keys.ts'
import { createLaunches } from './launches/launches.ts'
import {
  CLEANUP_SECONDS,
  DEVICE_CODE_SECONDS,
  OFFLINE_GRANT_SECONDS,
  ONLINE_GRANT_SECONDS,
  REFRESH_GRACE_SECONDS,
} from './lifetimes.ts'
import type { MetadataFacts } from './metadata/metadata-facts.ts'
import { smartConfiguration } from './metadata/smart-configuration.ts'
import { createOwnEndpoints } from './own-endpoints/create-own-endpoints.ts'
import { createOwnTokens } from './own-endpoints/own-tokens.ts'
import { createRefreshAnswers } from './refresh/refresh-answers.ts'
import { createRegistration } from './registration/create-registration.ts'
import { createRegistrationTokens } from './registration/registration-tokens.ts'
import { apiScopesOf, apiScopeTitle, findResource } from './resources.ts'
import { createRevocations } from './revocation/revocations.ts'
import { createRateLimiter, createTokenLimits } from './token/failure-limiter.ts'
import { createEarlyRefusals } from './token/refuse-early.ts'
import { tokenLifetimes } from './token/token-lifetimes.ts'
import { createUsedAssertions } from './token/used-assertions.ts'

export type {
  AuthorizationServer,
  AuthorizationServerDeps,
  EndedAppSession,
  SignInDeps,
  SignInParts,
} from './authorization-server-deps.ts'

/** Where users see and end what they granted, if there are pages. */
const ACCOUNT_PATH = '/account'

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
  const lifetimes = tokenLifetimes(deps)
  const { accessTokenSeconds, userAccessTokenSeconds, refreshTokenSeconds } = lifetimes
  const { longestTokenSeconds, clockToleranceSeconds } = lifetimes
  const network: NetworkPolicy = {
    allowLoopback: isLoopbackHost(issuerUrl.hostname),
    allowPrivateHosts: [],
    ...deps.network,
  }
  const transaction = storage.transaction.bind(storage)
  const { signIn } = deps
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
  const apiScopes = apiScopesOf(deps.resources)
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
    // A device may come for its token as late as its code lives.
    tokenSeconds: DEVICE_CODE_SECONDS + longestTokenSeconds + clockToleranceSeconds,
    async onRevoked(grantIds) {
      await revocations.revokeGrant(...grantIds)
      await Promise.all(grantIds.map((grantId) => deps.endAppSession?.({ sid: sidOf(grantId) })))
    },
  })
  const launches = createLaunches({
    pool,
    ...(deps.launchSeconds === undefined ? {} : { seconds: deps.launchSeconds }),
  })
  const startsPerMinute = deps.limits?.startsPerMinute ?? 3000
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
    starts: { perMinute: startsPerMinute, ...createRateLimiter(startsPerMinute, nowMs) },
    issuer,
    resources: deps.resources,
    accessTokenSeconds,
    userAccessTokenSeconds,
    refreshTokenSeconds,
    clockToleranceSeconds,
    requireAssertionIssuedAt: deps.requireAssertionIssuedAt ?? false,
    openidOnClientCredentials: deps.openidOnClientCredentials ?? 'ignore',
    people: signIn,
    tokenExchange: deps.tokenExchange,
    pages: signIn?.pages ?? PLAIN_PAGES,
    network,
    embedded: signIn?.embedded ?? false,
    cookieKey: deriveKey('engine cookies'),
    dpopNonceKey: deriveKey('DPoP nonces'),
    now: () => Math.floor(nowMs() / 1000),
  }

  const correlationIdOf = deps.correlationId ?? (() => randomUUID())
  const addressOf = deps.clientAddress ?? peerAddress
  const early = createEarlyRefusals({ ...deps, nowMs, addressOf, correlationIdOf })
  const registrationTokens = createRegistrationTokens(pool, apiScopes)
  const endGrants = (clientId: string) => grants.revokeAllOfClient(clientId, 'client removed')
  const endTokens = (clientId: string) => revocations.revokeClient(clientId)
  const registration = createRegistration({
    ...{ pool, transaction, network, apiScopes, issuer, nowMs, addressOf, correlationIdOf },
    tokens: registrationTokens,
    limits,
    async endClient(clientId) {
      await endGrants(clientId)
      await endTokens(clientId)
    },
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
    dpop: { usedProofs: deps.usedProofs ?? createUsedProofs(nowMs) },
  })
  const own = createOwnEndpoints({
    ...{ issuer, engine: currentEngine, revocations, limits, nowMs, addressOf, correlationIdOf },
    paths: ROUTES,
    tokens: ownTokens,
    findUser: async (id) => signIn?.users.find(id),
    endGrant: (grantId, reason) => grants.revoke(grantId, reason),
    isRegisteredOrigin: origins.isRegistered,
    finishRefusal: (ctx) => engine.finishAnswer(ctx),
    callers: deps.callers,
    onTokenRefused: deps.onTokenRefused,
    onTokenRevoked: deps.onTokenRevoked,
    onError: deps.onError,
  })
  const logOut = createLogOut({
    people: signIn,
    grants,
    tellClient: createTellClient(currentEngine, deps.endAppSession),
    onError: deps.onError,
  })
  const engine = await runEngine({
    ...{ engine: engineDeps, signingKeys, nowMs, addressOf, correlationIdOf, logOut },
    metadata: metadataFacts,
    own,
    callers: deps.callers,
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
      protectedResourceOf: ({ resource }) => findResource(String(resource), deps.resources),
      apiScopeTitle: (scope) => apiScopeTitle(scope, deps.resources),
    }) ?? []
  const { routes, dispatch } = createDispatcher({
    ...{ registration, own, controllers, engine, early },
    issuer: issuerUrl,
    hasUsers: signIn !== undefined,
    isRegisteredOrigin: origins.isRegistered,
  })

  const cleaning = setInterval(() => {
    Promise.all([
      usedAssertions.forgetExpired(),
      revocations.forgetExpired(),
      forgetExpired(transaction),
    ]).catch((error) => deps.onError?.(error, 'cleanup'))
  }, CLEANUP_SECONDS * 1000)
  cleaning.unref()

  const clients = createClientRegistry({
    ...{ pool, transaction, network, apiScopes, endGrants, endTokens },
  })
  const tokenEndpoint = `${issuer}${ROUTES.token}`
  return {
    routes,
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
    signJwt: createSignJwt(signingKeys),
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

    smartConfiguration: () =>
      smartConfiguration(
        controllers.some((each) => each.owns(ACCOUNT_PATH))
          ? { ...metadataFacts, managementUrl: `${issuer}${ACCOUNT_PATH}` }
          : metadataFacts,
      ),
  }
}

/** Wrong user codes of one address. People mistype; who guesses needs millions. @see RFC 8628 §5.1 */
const USER_CODES_PER_MINUTE = 10

function peerAddress(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? 'unknown'
}
