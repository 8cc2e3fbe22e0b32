import { failed } from '@scopegate/checks'
import { INTROSPECT_SCOPE } from '@scopegate/oauth-model'
import type { OwnTokens } from '../own-endpoints/own-tokens.ts'
import type { ReadForm } from '../own-endpoints/read-token-form.ts'
import type { OwnAnswer, OwnCall, Refusals } from '../own-endpoints/refusals.ts'
import { verifyBearer } from '../own-endpoints/verify-bearer.ts'
import { failureLimitText, type TokenLimits } from '../token/failure-limiter.ts'
import {
  INACTIVE,
  type IntrospectionCaller,
  introspectionAnswer,
  mayIntrospect,
} from './introspection-answer.ts'

export interface IntrospectionDeps {
  readonly issuer: string
  readonly tokens: OwnTokens
  readonly refuse: Refusals
  readonly limits: TokenLimits
}

/** A client that the engine has authenticated. */
export interface AuthenticatedClient {
  readonly clientId: string
  readonly clientAuthMethod: string
  /** Space-separated, as registered. */
  readonly scopes: string
}

/** @see RFC 7662; SMART 2.2, token-introspection */
export interface Introspection {
  forClient(call: OwnCall, form: ReadForm, client: AuthenticatedClient): Promise<OwnAnswer>
  /** The caller shows a token of its own in `Authorization`. */
  forBearer(call: OwnCall, form: ReadForm): Promise<OwnAnswer>
}

export function createIntrospection(deps: IntrospectionDeps): Introspection {
  const { issuer, tokens, refuse, limits } = deps

  async function answer(
    call: OwnCall,
    form: ReadForm,
    caller: IntrospectionCaller,
  ): Promise<OwnAnswer> {
    const token = await tokens.find(form.token, form.hint)
    if (token === undefined) return { status: 200, body: INACTIVE }
    if (mayIntrospect(caller, token)) return { status: 200, body: introspectionAnswer(token) }
    refuse.silently(call, 'introspection_not_permitted', caller.clientId)
    return { status: 200, body: INACTIVE }
  }

  return {
    async forClient(call, form, { clientId, clientAuthMethod, scopes }) {
      if (clientAuthMethod === 'none') {
        const told =
          'a client without secret and keys cannot introspect: use a confidential client, or an access token that holds the scope introspect'
        return refuse.byReason(call, 'client_not_confidential', told, { clientId })
      }
      const mayAskForAll = scopes.split(' ').includes(INTROSPECT_SCOPE)
      return answer(call, form, { clientId, mayAskForAll })
    },

    async forBearer(call, form) {
      const wait = limits.beforeAuthentication(call.address, '')
      if (wait !== undefined) {
        const told = failureLimitText(wait, limits.failuresPerMinute)
        return refuse.byReason(call, 'too_many_failures', told, { retryAfterSeconds: wait })
      }
      const verdict = await verifyBearer(call, tokens, issuer)
      if (!verdict.ok) {
        limits.failed(call.address)
        return refuse.byChecks(call, verdict.checks, verdict)
      }
      const { clientId, scope, fingerprint } = verdict.token
      if (!scope.split(' ').includes(INTROSPECT_SCOPE)) {
        const checks = [...verdict.checks, failed('scope_introspect_missing')]
        const claimed = { clientId, fingerprint }
        return refuse.byChecks(call, checks, { claimed, scope: INTROSPECT_SCOPE })
      }
      const told = await answer(call, form, { clientId, mayAskForAll: true })
      const { dpopNonce } = verdict
      return dpopNonce === undefined ? told : { ...told, headers: { 'dpop-nonce': dpopNonce } }
    },
  }
}
