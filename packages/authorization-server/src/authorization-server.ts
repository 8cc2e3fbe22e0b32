import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RegistrationTokens } from '@scopegate/oauth-model'
import type { Sealer } from '@scopegate/secrets'
import { isLoopbackHost, type KeySource, type NetworkPolicy } from '@scopegate/token-verify'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Pool, PoolClient } from 'pg'
import { type AdminCredential, COMMAND_LINE } from './admin-credential.ts'
import { answerJson } from './answer-json.ts'
import { createClientKeySets } from './clients/client-key-sets.ts'
import { type ClientRegistry, createClientRegistry } from './clients/client-registry.ts'
import {
  ASSERTION_ALGORITHMS,
  CLIENT_AUTH_METHODS,
  createEngine,
  type EngineDeps,
  ROUTES,
} from './create-engine.ts'
import {
  createSigningKeys,
  type SigningKeySnapshot,
  type SigningKeys,
} from './keys/signing-keys.ts'
import { ACCESS_TOKEN_SECONDS, CLEANUP_SECONDS } from './lifetimes.ts'
import type { MetadataFacts } from './metadata/metadata-facts.ts'
import { serverMetadata } from './metadata/server-metadata.ts'
import { type SmartConfiguration, smartConfiguration } from './metadata/smart-configuration.ts'
import { pinHost } from './pin-host.ts'
import { createRegistration, type RegistrationEvent } from './registration/create-registration.ts'
import { createRegistrationTokens } from './registration/registration-tokens.ts'
import type { ProtectedResource } from './resources.ts'
import { createTokenLimits } from './token/failure-limiter.ts'
import { createEarlyRefusals } from './token/refuse-early.ts'
import { createTokenAnswers } from './token/token-answer.ts'
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
  readonly accessTokenSeconds?: number
  readonly clockToleranceSeconds?: number
  readonly limits?: {
    /** Token requests of one client. */
    readonly requestsPerMinute?: number
    /** Failed client authentications from one address. */
    readonly failuresPerMinute?: number
  }
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
  /** Every request to the registration endpoint, for the audit. */
  readonly onRegistration?: (event: RegistrationEvent) => Promise<void> | void
  /** Our own failures: the client reads only `server_error`. */
  readonly onError?: (error: unknown, correlationId: string) => void
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
  readonly clients: ClientRegistry
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
  const signingKeys = createSigningKeys({
    pool,
    transaction,
    sealer,
    nowMs,
    maxTokenSeconds: accessTokenSeconds + clockToleranceSeconds,
  })
  const usedAssertions = createUsedAssertions(pool)
  const limits = createTokenLimits({
    requestsPerMinute: deps.limits?.requestsPerMinute ?? 60_000,
    failuresPerMinute: deps.limits?.failuresPerMinute ?? 30,
    nowMs,
  })
  const engineDeps: EngineDeps = {
    pool,
    keySets: createClientKeySets({ network, nowMs }),
    usedAssertions,
    limits,
    issuer,
    resources: deps.resources,
    accessTokenSeconds,
    clockToleranceSeconds,
    requireAssertionIssuedAt: deps.requireAssertionIssuedAt ?? false,
    now: () => Math.floor(nowMs() / 1000),
  }

  const correlationIdOf = deps.correlationId ?? (() => randomUUID())
  const addressOf = deps.clientAddress ?? peerAddress
  const early = createEarlyRefusals({ ...deps, nowMs, addressOf, correlationIdOf })
  const finishTokenAnswer = createTokenAnswers({ ...deps, engine: engineDeps, nowMs })
  const registrationTokens = createRegistrationTokens(pool)
  const registration = createRegistration({
    ...{ pool, transaction, network, issuer, nowMs, addressOf, correlationIdOf },
    tokens: registrationTokens,
    ...(deps.onRegistration && { onEvent: deps.onRegistration }),
  })
  const metadataFacts: MetadataFacts = {
    issuer,
    hasUsers: false,
    hasRegistration: true,
    authMethods: CLIENT_AUTH_METHODS,
    signingAlgorithms: ASSERTION_ALGORITHMS,
    paths: ROUTES,
  }
  let active = startEngine(await signingKeys.snapshot())

  function startEngine(keys: SigningKeySnapshot) {
    const engine = createEngine(engineDeps, keys)
    engine.use((ctx, next) => handle(ctx as KoaContextWithOIDC, next))
    const keepError = (ctx: KoaContextWithOIDC, error: unknown) => {
      ctx.state.error = error
    }
    engine.on('grant.error', keepError as never)
    engine.on('server_error', (ctx, error) => {
      keepError(ctx as KoaContextWithOIDC, error)
      deps.onError?.(error, String(ctx.state.correlationId))
    })
    return { kid: keys.current.kid, handler: engine.callback(), engine }
  }

  async function handle(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
    const { req } = ctx
    ctx.state.address = addressOf(req)
    ctx.state.correlationId = correlationIdOf(req)
    ctx.state.startedMs = nowMs()
    ctx.set('X-Request-Id', ctx.state.correlationId)
    ctx.set('X-Content-Type-Options', 'nosniff')
    await next()
    switch (ctx.path) {
      case ROUTES.token:
        // No client is registered for a browser origin yet.
        ctx.remove('Access-Control-Allow-Origin')
        if (ctx.method === 'POST') finishTokenAnswer(ctx)
        break
      case ROUTES.jwks:
        if (ctx.status === 200) {
          ctx.body = (await signingKeys.snapshot()).jwks
          ctx.type = 'application/jwk-set+json'
          ctx.set('Cache-Control', 'public, max-age=60')
        }
        break
      default:
        if (ctx.status === 200) {
          ctx.body = serverMetadata(ctx.body as Record<string, unknown>, metadataFacts)
          ctx.set('Cache-Control', 'public, max-age=60')
        }
    }
  }

  async function dispatch(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = pathOf(request)
    if (registration.handles(path)) return registration.handle(request, response)
    if (!(SERVED as readonly string[]).includes(path)) {
      return answerJson(response, 404, {
        error: 'not_found',
        error_description: 'nothing is here',
      })
    }
    if (path === ROUTES.token && early.check(request, response)) return
    pinHost(request, issuerUrl)
    const keys = await signingKeys.snapshot()
    if (keys.current.kid !== active.kid) active = startEngine(keys)
    await active.handler(request, response)
  }

  const cleaning = setInterval(() => {
    usedAssertions.forgetExpired().catch((error) => deps.onError?.(error, 'cleanup'))
  }, CLEANUP_SECONDS * 1000)
  cleaning.unref()

  const clients = createClientRegistry({ pool, transaction, network })
  const tokenEndpoint = `${issuer}${ROUTES.token}`
  return {
    routes: [...SERVED, `${registration.path}/*`],
    issuer,
    tokenEndpoint,
    keySource: signingKeys.keySource,
    clients,
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

function peerAddress(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? 'unknown'
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? ''
}
