import { type Adapter, type AdapterPayload, errors, Provider } from 'oidc-provider'
import { type EngineClientDeps, findEngineClient } from './engine/engine-client.ts'
import type { RequestState } from './engine/engine-deps.ts'
import type { ModelStore } from './engine/model-store.ts'
import { invalidClient, invalidGrant, slowDown, tooManyRequests } from './engine-errors.ts'
import { engineGrantOf } from './grants/engine-grant.ts'
import type { Grants } from './grants/grants.ts'
import { answerBefore } from './refresh/answer-before.ts'
import type { RefreshAnswers } from './refresh/refresh-answers.ts'
import type { RateLimiter } from './token/failure-limiter.ts'
import type { UsedAssertions } from './token/used-assertions.ts'

export interface AdapterDeps extends EngineClientDeps {
  readonly usedAssertions: UsedAssertions
  readonly models: ModelStore
  readonly grants: Grants
  readonly refreshAnswers: RefreshAnswers
  /** Wrong user codes by address. */
  readonly userCodes: RateLimiter
}

/** The engine's storage, a model at a time. */
export function createAdapter(deps: AdapterDeps): (model: string) => Adapter {
  return (model) => {
    const common = createModelAdapter(model, deps)
    switch (model) {
      case 'Client':
        return { ...common, find: (id) => findEngineClient(id, deps) }
      case 'ReplayDetection':
        return {
          ...common,
          // The engine asks first and writes then; the write alone decides.
          find: async () => undefined,
          async upsert(id, _payload, keepSeconds) {
            if (await deps.usedAssertions.consume(id, keepSeconds ?? 600)) return
            throw alreadyUsed()
          },
        }
      case 'RefreshToken':
        return { ...common, consume: (id) => consumeRefreshToken(id, deps) }
      case 'AuthorizationCode':
        return { ...common, consume: (id) => consumeCode(id, deps) }
      case 'DeviceCode':
        return createDeviceAdapter(common, deps)
      case 'Grant':
        return {
          ...common,
          find: (id) => findGrant(id, deps),
          // Only the engine destroys one: a code or a refresh token was used twice.
          async destroy(id) {
            await deps.grants.revoke(id, 'reuse')
          },
        }
      default:
        return common
    }
  }
}

function createModelAdapter(model: string, { models }: AdapterDeps): Adapter {
  return {
    find: (id) => models.find(model, id),
    findByUid: (uid) => models.findByUid(model, uid),
    findByUserCode: (userCode) => models.findByUserCode(model, userCode),
    upsert: (id, payload, seconds) => models.upsert(model, id, payload, seconds),
    destroy: (id) => models.destroy(model, id),
    revokeByGrantId: (grantId) => models.revokeByGrantId(model, grantId),
    async consume(id) {
      if (await models.consume(model, id)) return
      throw new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used')
    },
  }
}

/**
 * The grant, which the request goes on with to its end. Of many that bring one code at once the
 * first is answered, though the others have ended the grant by then: what it gets is revoked already.
 */
async function findGrant(id: string, { grants }: AdapterDeps): Promise<AdapterPayload | undefined> {
  const grant = await grants.find(id)
  if (grant === undefined) return undefined
  const state = Provider.ctx?.state as RequestState | undefined
  if (state !== undefined) state.found = grant
  return engineGrantOf(grant)
}

/** Whoever comes second with a code ends what the first one got. @see RFC 6749 §4.1.2 */
async function consumeCode(id: string, { models, grants }: AdapterDeps): Promise<void> {
  if (await models.consume('AuthorizationCode', id)) return
  const code = await models.find('AuthorizationCode', id)
  if (code?.grantId !== undefined) await grants.revoke(code.grantId, 'reuse')
  throw invalidGrant({
    code: 'code_reused',
    told: 'the authorization code was used before: all tokens of it have ended',
  })
}

/** Whoever comes second within a moment gets the answer of the first. */
async function consumeRefreshToken(id: string, deps: AdapterDeps): Promise<void> {
  if (await deps.models.consume('RefreshToken', id)) return
  const ctx = Provider.ctx
  if (ctx !== undefined) await answerBefore(ctx, id, deps.refreshAnswers)
  throw invalidGrant({
    code: 'refresh_token_refused',
    told: 'the refresh token was used by another request that is not answered yet: use the token that it gets',
  })
}

function createDeviceAdapter(common: Adapter, { models, userCodes }: AdapterDeps): Adapter {
  const addressOf = () => String(Provider.ctx?.state.address ?? '')
  return {
    ...common,
    async find(id) {
      const code = await models.find('DeviceCode', id)
      const isPending =
        code !== undefined && code.accountId === undefined && code.error === undefined
      if (isPending && Provider.ctx?.oidc.route === 'token') {
        const wait = await models.poll(id)
        if (wait !== undefined) throw slowDown(wait)
      }
      return code
    },
    async findByUserCode(userCode) {
      const wait = userCodes.retryAfterSeconds(addressOf())
      if (wait !== undefined) {
        const told = `too many wrong codes from this address: wait ${wait} s, and read the code on the device again`
        throw tooManyRequests(wait, { code: 'too_many_user_codes', told })
      }
      const code = await models.findByUserCode('DeviceCode', userCode)
      if (code === undefined) userCodes.count(addressOf())
      return code
    },
    async consume(id) {
      if (await models.consume('DeviceCode', id)) return
      throw invalidGrant({
        code: 'device_code_refused',
        told: 'the device code was used before: start the device flow again',
      })
    },
  }
}

/** An assertion, or a DPoP proof, that came a second time. */
function alreadyUsed(): Error {
  if (Provider.ctx?.oidc.client !== undefined && Provider.ctx.get('DPoP') !== '') {
    const isProof = Provider.ctx.oidc.params?.client_assertion === undefined
    if (isProof) return new errors.InvalidGrant('DPoP proof JWT Replay detected')
  }
  return invalidClient({
    code: 'assertion_replayed',
    told: 'the client assertion was used before: make a new one, with a new jti, for every request',
  })
}
