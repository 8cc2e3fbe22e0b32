import { KeysUnavailable } from '@scopegate/token-verify'
import { type Adapter, type AdapterPayload, Provider } from 'oidc-provider'
import type { Pool } from 'pg'
import type { Client } from './clients/client.ts'
import type { ClientKeySets } from './clients/client-key-sets.ts'
import { findClient } from './clients/client-store.ts'
import { invalidClient, tooManyRequests } from './engine-errors.ts'
import { failureLimitText, type TokenLimits } from './token/failure-limiter.ts'
import { readAssertion } from './token/read-assertion.ts'
import type { UsedAssertions } from './token/used-assertions.ts'

export interface AdapterDeps {
  readonly pool: Pool
  readonly keySets: ClientKeySets
  readonly usedAssertions: UsedAssertions
  readonly limits: TokenLimits
}

/** Carried in the metadata of an engine client, so that one read serves the whole request. */
export interface ClientFacts {
  readonly scopes: string
  readonly secrets: Client['secrets']
  readonly jwksUri?: string
}

/**
 * The engine's storage, a model at a time. Access tokens are JWTs and are not stored; what the
 * interactive flows keep (codes, grants, sessions) has no table yet, and asking for it is an error.
 */
export function createAdapter(deps: AdapterDeps): (model: string) => Adapter {
  return (model) => {
    switch (model) {
      case 'Client':
        return { ...unsupported(model), find: (id) => findEngineClient(id, deps) }
      case 'ReplayDetection':
        return {
          ...unsupported(model),
          // The engine asks first and writes then; the write alone decides.
          find: async () => undefined,
          async upsert(id, _payload, keepSeconds) {
            if (await deps.usedAssertions.consume(id, keepSeconds ?? 600)) return
            throw invalidClient({
              code: 'assertion_replayed',
              told: 'the client assertion was used before: make a new one, with a new jti, for every request',
            })
          },
        }
      default:
        return unsupported(model)
    }
  }
}

async function findEngineClient(
  id: string,
  { pool, limits, keySets }: AdapterDeps,
): Promise<AdapterPayload | undefined> {
  const ctx = Provider.ctx
  const wait = limits.beforeAuthentication(String(ctx?.state.address ?? ''), id)
  if (wait !== undefined) throw tooManyFailures(wait, limits.failuresPerMinute)

  const client = await findClient(pool, id)
  if (client === undefined) return undefined
  if (client.disabled) {
    throw invalidClient({
      code: 'client_disabled',
    })
  }
  const facts: ClientFacts = {
    scopes: client.scopes,
    secrets: client.secrets,
    ...(client.jwksUri === undefined ? {} : { jwksUri: client.jwksUri }),
  }
  const common = {
    client_id: client.id,
    client_name: client.name,
    grant_types: [...client.grants],
    response_types: [],
    redirect_uris: [],
    scopegate: facts,
  }
  if (client.jwks === undefined && client.jwksUri === undefined) {
    // The engine wants a secret to be there; it never compares this one (see compareClientSecret).
    const client_secret = 'kept-as-a-hash'
    return { ...common, token_endpoint_auth_method: 'client_secret_basic', client_secret }
  }
  return {
    ...common,
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: (client.jwks ?? (await publishedKeys(client, keySets))) as never,
  }
}

/** The keys at the client's URL; none if the request carries no assertion to verify with them. */
async function publishedKeys(client: Client, keySets: ClientKeySets) {
  const assertion = readAssertion(Provider.ctx?.oidc.params?.client_assertion)
  if (assertion === undefined) return { keys: [] }
  const { alg, kid } = assertion.header
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

function unsupported(model: string): Adapter {
  const refuse = async () => {
    throw new Error(`there is no storage for ${model} yet`)
  }
  return {
    find: refuse,
    upsert: refuse,
    findByUid: refuse,
    findByUserCode: refuse,
    consume: refuse,
    destroy: refuse,
    revokeByGrantId: refuse,
  }
}
