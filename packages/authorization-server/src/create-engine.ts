import { type Configuration, type KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { ClientFacts } from './adapter.ts'
import { type AdapterDeps, createAdapter } from './adapter.ts'
import { matchSecret } from './clients/client-secret.ts'
import { invalidClient, invalidScope, tooManyRequests } from './engine-errors.ts'
import { EngineSigningKey } from './keys/engine-signing-key.ts'
import { ACCESS_TOKEN_ALGORITHM, type SigningKeySnapshot } from './keys/signing-keys.ts'
import { defaultResource, findResource, type ProtectedResource } from './resources.ts'
import { checkAssertion } from './token/check-assertion.ts'
import { grantScopes, isFatal, type ScopeRemark } from './token/grant-scopes.ts'
import { describable } from './token/token-refusal.ts'

/** How clients may sign their assertions. @see SMART 2.2: RS384 or ES384 at least */
export const ASSERTION_ALGORITHMS = [
  'RS384',
  'ES384',
  'RS256',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES512',
  'EdDSA',
] as const

export const CLIENT_AUTH_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
] as const

export const ROUTES = {
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  jwks: '/oauth/jwks',
  introspection: '/oauth/introspect',
  revocation: '/oauth/revoke',
  registration: '/oauth/register',
  userinfo: '/oauth/userinfo',
  pushed_authorization_request: '/oauth/par',
  device_authorization: '/oauth/device',
  code_verification: '/oauth/device/code',
  end_session: '/oauth/logout',
  backchannel_authentication: '/oauth/backchannel',
} as const

export interface EngineDeps extends AdapterDeps {
  readonly issuer: string
  readonly resources: readonly ProtectedResource[]
  readonly accessTokenSeconds: number
  readonly clockToleranceSeconds: number
  readonly requireAssertionIssuedAt: boolean
  /** Epoch seconds. */
  readonly now: () => number
}

/** What our hooks leave for the answer. Held in `ctx.state`. */
export interface RequestState {
  address: string
  correlationId: string
  /** Epoch milliseconds. */
  startedMs: number
  remarks?: readonly ScopeRemark[]
  audience?: string
}

/**
 * The protocol engine with one signing key. A change of key makes a new engine, which costs less
 * than a millisecond, and leaves requests that are under way with the old one.
 */
export function createEngine(deps: EngineDeps, keys: SigningKeySnapshot): Provider {
  const engine = new Provider(deps.issuer, configuration(deps, keys))
  // Safe only behind `pinHost`, which every request passes.
  engine.proxy = true
  engine.Client.prototype.compareClientSecret = function (presented: string) {
    const { secrets } = factsOf(this)
    const match = matchSecret(presented, secrets, deps.now())
    if (match !== 'expired') return match === 'match'
    throw invalidClient({
      code: 'secret_expired',
    })
  }
  return engine
}

function configuration(deps: EngineDeps, keys: SigningKeySnapshot): Configuration {
  return {
    adapter: createAdapter(deps),
    jwks: { keys: [new EngineSigningKey(keys.current)] },
    routes: ROUTES,
    clientAuthMethods: [...CLIENT_AUTH_METHODS],
    // No flow with a user yet; the next step sets ['code'] here.
    responseTypes: [],
    scopes: [],
    claims: {},
    clientDefaults: {
      id_token_signed_response_alg: ACCESS_TOKEN_ALGORITHM,
      response_types: [],
      grant_types: ['client_credentials'],
    },
    enabledJWA: { clientAuthSigningAlgValues: [...ASSERTION_ALGORITHMS] },
    extraClientMetadata: { properties: ['scopegate'] },
    clockTolerance: deps.clockToleranceSeconds,
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    clientBasedCORS: () => false,
    ttl: { ClientCredentials: deps.accessTokenSeconds },
    features: {
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: false },
      revocation: { enabled: false },
      registration: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      dPoP: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx) => chooseResource(ctx, deps),
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx, resource) => authorize(ctx, resource, deps),
      },
    },
    assertJwtClientAuthClaimsAndHeader: (_ctx, claims, header, client) => {
      const problem = checkAssertion(header, claims, assertionExpectation(deps))
      if (problem !== undefined) {
        const { code, expected, got, fix } = problem
        throw invalidClient({
          code,
          expected,
          got,
          fix,
          told: `client assertion refused: expected ${expected}; got ${got}; ${fix}`,
        })
      }
      const { jwksUri } = factsOf(client)
      if (header.jku !== undefined && header.jku !== jwksUri) {
        throw invalidClient({
          code: 'assertion_jku',
          expected: jwksUri ?? 'no `jku`, since the keys are registered inline',
          got: String(header.jku).slice(0, 200),
          fix: 'leave `jku` out, or set it to the registered key set URL',
          told: 'client assertion refused: jku is not the registered key set URL; leave it out',
        })
      }
    },
    renderError: (ctx, out) => {
      ctx.type = 'json'
      ctx.body = out
    },
  }
}

/** What assertions are checked against. */
export function assertionExpectation(deps: EngineDeps) {
  return {
    audiences: [`${deps.issuer}${ROUTES.token}`, deps.issuer],
    algorithms: ASSERTION_ALGORITHMS,
    now: deps.now(),
    toleranceSeconds: deps.clockToleranceSeconds,
    requireIssuedAt: deps.requireAssertionIssuedAt,
  }
}

/** The resource of a request that sends no `resource`: its `aud`, as SMART spells it, or the only one. */
function chooseResource(ctx: KoaContextWithOIDC, deps: EngineDeps): string {
  const { aud } = (ctx.oidc.body ?? {}) as { aud?: unknown }
  if (typeof aud === 'string' && aud !== '') return aud
  const scopes = scopeParameter(ctx) ?? factsOf(ctx.oidc.client).scopes
  return (
    defaultResource(scopes, deps.resources) ??
    findResource('none that is the default', deps.resources)
  ).url
}

/** Decides what is granted. Runs once for a token request, when the client is authenticated. */
function authorize(ctx: KoaContextWithOIDC, requested: string, deps: EngineDeps) {
  const state = ctx.state as RequestState
  const client = ctx.oidc.client
  const wait = deps.limits.succeeded(state.address, client?.clientId ?? '')
  if (wait !== undefined) {
    throw tooManyRequests(wait, {
      code: 'too_many_requests',
      told: `more than ${deps.limits.requestsPerMinute} token requests per minute of this client: wait ${wait} s, and use each token until it expires; the operator sets limits.tokenRequestsPerMinute`,
    })
  }

  const resource = findResource(requested, deps.resources)
  const { granted, remarks } = grantScopes(
    scopeParameter(ctx),
    factsOf(client).scopes,
    resource.kind,
  )
  if (granted.length === 0 || remarks.some(isFatal)) throw noScope(remarks, factsOf(client).scopes)

  // The engine issues the part of the request that is listed here, so the request becomes it.
  const scope = granted.join(' ')
  ctx.oidc.params!.scope = scope
  state.remarks = remarks
  state.audience = resource.url
  return {
    scope,
    audience: resource.url,
    accessTokenFormat: 'jwt' as const,
    accessTokenTTL: deps.accessTokenSeconds,
    jwt: { sign: { alg: ACCESS_TOKEN_ALGORITHM as 'ES256' } },
  }
}

function noScope(remarks: readonly ScopeRemark[], registered: string): Error {
  const worst = remarks.find(isFatal) ?? remarks[0]
  const listed = remarks.map(({ scope, reason, fix }) => `${scope}: ${reason}; ${fix}`).join(' | ')
  const told =
    worst === undefined
      ? `the client is registered for no scope of this API: it has ${registered}`
      : `no scope can be granted: ${listed}`
  return invalidScope(describable(told), {
    code: worst?.code ?? 'scope_of_other_resource',
    expected: registered,
    got: remarks.map(({ scope }) => scope).join(' '),
    fix: worst?.fix ?? 'set `resource` to the API that the scopes are for',
    told,
  })
}

function scopeParameter(ctx: KoaContextWithOIDC): string | undefined {
  const scope = ctx.oidc.params?.scope
  return typeof scope === 'string' && scope.trim() !== '' ? scope : undefined
}

function factsOf(client: unknown): ClientFacts {
  return (client as { scopegate: ClientFacts }).scopegate
}
