import { type Configuration, Provider } from 'oidc-provider'
import { createAdapter } from './adapter.ts'
import { matchSecret } from './clients/client-secret.ts'
import { adaptModels } from './engine/adapt-models.ts'
import { ASSERTION_ALGORITHMS } from './engine/algorithms.ts'
import { factsOf } from './engine/engine-client.ts'
import type { EngineDeps } from './engine/engine-deps.ts'
import { resourceIndicators } from './engine/resource-server.ts'
import { ROUTES } from './engine/routes.ts'
import { userFlows } from './engine/user-flows.ts'
import { invalidClient } from './engine-errors.ts'
import { EngineSigningKey } from './keys/engine-signing-key.ts'
import { ACCESS_TOKEN_ALGORITHM } from './keys/generate-signing-key.ts'
import type { SigningKeySnapshot } from './keys/signing-keys.ts'
import { checkAssertion } from './token/check-assertion.ts'
import { describeExchange, offerTokenExchange } from './token-exchange/exchange-token.ts'

export { ASSERTION_ALGORITHMS } from './engine/algorithms.ts'
export type { EngineDeps, RequestState } from './engine/engine-deps.ts'
export { ROUTES } from './engine/routes.ts'

export const CLIENT_AUTH_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
] as const

/**
 * The protocol engine with one set of signing keys. A change of keys makes a new engine, which costs
 * less than a millisecond, and leaves requests that are under way with the old one.
 */
export function createEngine(deps: EngineDeps, keys: SigningKeySnapshot): Provider {
  const engine = new Provider(deps.issuer, configuration(deps, keys))
  // Safe only behind `pinHost`, which every request passes.
  engine.proxy = true
  adaptModels(engine)
  if (deps.tokenExchange !== undefined) offerTokenExchange(engine, deps, deps.tokenExchange)
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
  const common: Configuration = {
    adapter: createAdapter(deps),
    jwks: {
      keys: [keys.current, ...(keys.idToken === undefined ? [] : [keys.idToken])].map(
        (key) => new EngineSigningKey(key),
      ),
    },
    routes: ROUTES,
    clientAuthMethods: [...CLIENT_AUTH_METHODS],
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
    clientBasedCORS: (_ctx, origin, client) => factsOf(client).origins.includes(origin),
    ttl: { ClientCredentials: deps.accessTokenSeconds },
    formats: {
      customizers: {
        jwt(ctx, token, { payload }) {
          describeExchange(ctx.state, token.clientId ?? '', payload as Record<string, unknown>)
        },
      },
    },
    features: {
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      // For the authentication of the client only: see own-endpoints.
      introspection: { enabled: true, allowedPolicy: () => false },
      revocation: { enabled: true, allowedPolicy: () => false },
      registration: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      dPoP: { enabled: false },
      resourceIndicators: resourceIndicators(deps),
    },
    assertJwtClientAuthClaimsAndHeader: (_ctx, claims, header, client) =>
      judgeAssertion(header, claims, client, deps),
    renderError: (ctx, out) => {
      ctx.type = 'json'
      ctx.body = out
    },
  }
  if (deps.people === undefined) return common
  const flows = userFlows(deps)
  return {
    ...common,
    ...flows,
    features: { ...common.features, ...flows.features },
  } as Configuration
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

type Json = Readonly<Record<string, unknown>>

/** @throws invalid_client with what is wrong. */
function judgeAssertion(header: Json, claims: Json, client: unknown, deps: EngineDeps): void {
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
}
