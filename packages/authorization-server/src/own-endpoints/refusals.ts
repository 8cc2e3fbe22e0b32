import type { IncomingMessage } from 'node:http'
import {
  type AnyCheck,
  type CallerDetail,
  type Check,
  callerView,
  completeChecks,
  findTokenRequestReason,
  type ReasonCode,
  redactText,
  type TokenRequestReasonCode,
  wwwAuthenticate,
} from '@scopegate/checks'
import type { TokenVerdict } from '@scopegate/oauth-model'
import { refusalBody } from '../token/refusal-body.ts'
import { describable, refusalChecks, type TokenRefusal } from '../token/token-refusal.ts'
import type { OwnTokens } from './own-tokens.ts'

/** One request to an endpoint here. */
export interface OwnCall {
  readonly request: IncomingMessage
  readonly path: string
  readonly correlationId: string
  readonly address: string
  /** Epoch milliseconds. */
  readonly startedMs: number
}

/** What is answered; what stands on every answer (no-store, CORS, ids) is added at the end. */
export interface OwnAnswer {
  readonly status: number
  /** Missing: an empty one. */
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

export interface RefusalsDeps {
  readonly issuer: string
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  readonly tokens: Pick<OwnTokens, 'verifier'>
  /** How much callers may read of refusals; default `standard`. */
  readonly callers?: CallerDetail | undefined
  readonly onTokenRefused?: ((refusal: TokenRefusal) => void) | undefined
}

type Claimed = Extract<TokenVerdict, { ok: false }>['claimed']

/** How the endpoints here say no: to the caller what is safe and what to do, to the operator all. */
export interface Refusals {
  /** The bearer token does not do. */
  byChecks(
    call: OwnCall,
    checks: readonly Check[],
    more?: { readonly claimed?: Claimed; readonly dpopNonce?: string; readonly scope?: string },
  ): OwnAnswer
  /** The request, or its client, does not do. */
  byReason(
    call: OwnCall,
    code: TokenRequestReasonCode,
    told: string,
    more?: {
      readonly status?: number
      readonly retryAfterSeconds?: number
      readonly clientId?: string
    },
  ): OwnAnswer
  /** Tells the operator only: the caller reads what it would read if the token did not exist. */
  silently(call: OwnCall, code: TokenRequestReasonCode, clientId: string): void
}

export function createRefusals(deps: RefusalsDeps): Refusals {
  const { callers } = deps

  function record(
    call: OwnCall,
    refusal: {
      readonly status: number
      readonly error: string
      readonly description: string
      readonly code: TokenRequestReasonCode | ReasonCode
      readonly clientId?: string | undefined
      readonly checks: readonly AnyCheck[]
    },
  ): void {
    const { clientId, ...rest } = refusal
    deps.onTokenRefused?.({
      correlationId: call.correlationId,
      path: call.path,
      atMs: call.startedMs,
      durationMs: deps.nowMs() - call.startedMs,
      method: call.request.method ?? '',
      address: call.address,
      ...rest,
      ...(clientId === undefined ? {} : { clientId }),
    })
  }

  return {
    byChecks(call, checks, { claimed, dpopNonce, scope } = {}) {
      const view = callerView(checks, callers)
      const status = view?.status ?? 401
      const error = view?.oauthError ?? (status === 401 ? 'invalid_token' : 'invalid_request')
      const fix = view?.fix === undefined ? '' : `; ${view.fix}`
      const description = describable(redactText(`${view?.text ?? 'refused'}${fix}`))
      const complete = completeChecks(checks)
      const code = (complete.find(({ outcome }) => outcome === 'fail')?.code ??
        'token_missing') as ReasonCode
      record(call, {
        status,
        error,
        description,
        code,
        clientId: claimed?.clientId,
        checks: complete,
      })
      const algorithms = deps.tokens.verifier.dpopAlgorithms
      const used = /^dpop /i.test(call.request.headers.authorization ?? '')
      const challenge = wwwAuthenticate(checks, {
        realm: deps.issuer,
        ...(callers === undefined ? {} : { callers }),
        ...(scope === undefined ? {} : { scope }),
        ...(algorithms === undefined ? {} : { dpop: { algorithms, used } }),
      })
      return {
        status,
        body: {
          error,
          error_description: description,
          ...(view?.compared === undefined ? {} : { checked: view.compared }),
          correlation_id: call.correlationId,
        },
        headers: {
          ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
          ...(dpopNonce === undefined ? {} : { 'dpop-nonce': dpopNonce }),
        },
      }
    },

    byReason(call, code, told, { status, retryAfterSeconds, clientId } = {}) {
      const reason = findTokenRequestReason(code)
      const actual = status ?? reason?.status ?? 400
      const error = reason?.error ?? 'invalid_request'
      const description = describable(redactText(told))
      const checks = refusalChecks({ code })
      record(call, { status: actual, error, description, code, clientId, checks })
      const { correlationId } = call
      return {
        status: actual,
        body: refusalBody({ error, description, correlationId, checks, callers }),
        headers: {
          ...(actual === 401 ? { 'www-authenticate': `Basic realm="${deps.issuer}"` } : {}),
          ...(actual === 405 ? { allow: 'POST' } : {}),
          ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
        },
      }
    },

    silently(call, code, clientId) {
      const description = 'active: false'
      record(call, {
        status: 200,
        error: '',
        description,
        code,
        clientId,
        checks: refusalChecks({ code }),
      })
    },
  }
}
