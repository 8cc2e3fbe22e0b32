import { randomBytes } from 'node:crypto'
import { KeysUnavailable } from '@scopegate/token-verify'
import { type AdapterPayload, Provider } from 'oidc-provider'
import type { Pool } from 'pg'
import type { Client } from '../clients/client.ts'
import type { ClientKeySets } from '../clients/client-key-sets.ts'
import { findClient } from '../clients/client-store.ts'
import { invalidClient, tooManyRequests } from '../engine-errors.ts'
import { failureLimitText, type TokenLimits } from '../token/failure-limiter.ts'
import { readAssertion } from '../token/read-assertion.ts'
import {
  mayExchange,
  TOKEN_EXCHANGE_GRANT,
  type TokenExchangeDeps,
} from '../token-exchange/token-exchange-policy.ts'

export interface EngineClientDeps {
  readonly pool: Pool
  readonly keySets: ClientKeySets
  readonly limits: TokenLimits
  readonly tokenExchange?: TokenExchangeDeps | undefined
}

/** Carried in the metadata of an engine client, so that one read serves the whole request. */
export interface ClientFacts {
  readonly scopes: string
  readonly secrets: Client['secrets']
  readonly public: boolean
  readonly origins: readonly string[]
  readonly jwksUri?: string
  readonly accessTokenSeconds?: number
  readonly refreshTokenSeconds?: number
}

/** The facts of an engine client. */
export function factsOf(client: unknown): ClientFacts {
  return (client as { scopegate: ClientFacts }).scopegate
}

/** Where a client is authenticated, and a flood of failures is stopped before that. */
const AUTHENTICATED = new Set([
  'token',
  'pushed_authorization_request',
  'device_authorization',
  'introspection',
  'revocation',
])

/** A client in the metadata of the engine. @throws invalid_client when it is disabled. */
export async function findEngineClient(
  id: string,
  deps: EngineClientDeps,
): Promise<AdapterPayload | undefined> {
  const { pool, limits } = deps
  const ctx = Provider.ctx
  if (ctx !== undefined && AUTHENTICATED.has(ctx.oidc.route)) {
    const wait = limits.beforeAuthentication(String(ctx.state.address ?? ''), id)
    if (wait !== undefined) throw tooManyFailures(wait, limits.failuresPerMinute)
  }
  const client = await findClient(pool, id)
  if (client === undefined) return undefined
  if (client.disabled) {
    throw invalidClient({
      code: 'client_disabled',
    })
  }
  return { ...metadataOf(client, deps), ...(await authenticationOf(client, deps)) }
}

function metadataOf(client: Client, { tokenExchange }: EngineClientDeps): AdapterPayload {
  const hasCode = client.grants.includes('authorization_code')
  return {
    client_id: client.id,
    client_name: client.name,
    application_type: client.native ? 'native' : 'web',
    // The engine knows that grant only where there is a policy, and would refuse the whole client.
    grant_types: client.grants.filter(
      (grant) => grant !== TOKEN_EXCHANGE_GRANT || mayExchange(client.id, tokenExchange),
    ),
    response_types: hasCode ? ['code'] : [],
    redirect_uris: [...client.redirectUris],
    post_logout_redirect_uris: [...client.postLogoutRedirectUris],
    dpop_bound_access_tokens: client.dpopBound,
    require_pushed_authorization_requests: client.requirePar,
    ...present('backchannel_logout_uri', client.backchannelLogoutUri),
    backchannel_logout_session_required: client.backchannelLogoutUri !== undefined,
    ...present('logo_uri', client.logoUri),
    ...present('client_uri', client.clientUri),
    ...present('policy_uri', client.policyUri),
    ...present('tos_uri', client.tosUri),
    scopegate: {
      scopes: client.scopes,
      secrets: client.secrets,
      public: client.public,
      origins: client.origins,
      ...present('jwksUri', client.jwksUri),
      ...present('accessTokenSeconds', client.accessTokenSeconds),
      ...present('refreshTokenSeconds', client.refreshTokenSeconds),
    } satisfies ClientFacts,
  }
}

// The engine wants a secret to be there. It never compares this one (see compareClientSecret), and
// nobody can guess it, since the engine would also take it as a key for HMAC signatures.
const PLACEHOLDER = randomBytes(32).toString('base64url')

async function authenticationOf(client: Client, { keySets }: EngineClientDeps) {
  if (client.public) return { token_endpoint_auth_method: 'none' as const }
  if (client.jwks === undefined && client.jwksUri === undefined) {
    return {
      token_endpoint_auth_method: 'client_secret_basic' as const,
      client_secret: PLACEHOLDER,
    }
  }
  return {
    token_endpoint_auth_method: 'private_key_jwt' as const,
    jwks: (client.jwks ?? (await publishedKeys(client, keySets))) as never,
  }
}

/** The keys at the client's URL; none if the request carries nothing that they would verify. */
async function publishedKeys(client: Client, keySets: ClientKeySets) {
  const params = Provider.ctx?.oidc.params
  const signed = readAssertion(params?.client_assertion ?? params?.request)
  if (signed === undefined) return { keys: [] }
  const { alg, kid } = signed.header
  try {
    return await keySets.resolve(client.jwksUri ?? '', {
      alg: String(alg),
      kid: typeof kid === 'string' ? kid : undefined,
    })
  } catch (error) {
    if (!(error instanceof KeysUnavailable)) throw error
    throw invalidClient({
      code: 'client_keys_unavailable',
      got: error.message,
      fix: `make ${client.jwksUri} answer this server with a JWK Set`,
      told: 'the key set of the client could not be read from its registered URL: check that it answers with a JWK Set of public keys, each with its own kid',
    })
  }
}

function tooManyFailures(wait: number, perMinute: number): Error {
  return tooManyRequests(wait, {
    code: 'too_many_failures',
    told: failureLimitText(wait, perMinute),
  })
}

function present<Name extends string, Value>(name: Name, value: Value | undefined) {
  return (value === undefined ? {} : { [name]: value }) as { [N in Name]?: Value }
}
