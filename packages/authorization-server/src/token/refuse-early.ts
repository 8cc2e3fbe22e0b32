import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  type CallerDetail,
  findTokenRequestReason,
  type TokenRequestReasonCode,
} from '@scopegate/checks'
import { answerJson } from '../answer-json.ts'
import { refusalBody } from './refusal-body.ts'
import { refusalChecks, type TokenRefusal } from './token-refusal.ts'

export interface EarlyRefusalDeps {
  /** Epoch milliseconds. */
  readonly nowMs: () => number
  readonly addressOf: (request: IncomingMessage) => string
  readonly correlationIdOf: (request: IncomingMessage) => string
  /** How much clients may read of refusals; default `standard`. */
  readonly callers?: CallerDetail
  readonly onTokenRefused?: (refusal: TokenRefusal) => void
}

const POST_A_FORM =
  'this is the token endpoint: POST a form with grant_type=client_credentials, client_id, client_secret and scope'

/** Answers a token request that never gets to the engine, or broke it. */
export interface EarlyRefusals {
  /** What the engine would not notice, or would answer with a bare 404. Whether it was refused. */
  check(request: IncomingMessage, response: ServerResponse): boolean
  /** @param correlationId that of the log */
  failed(request: IncomingMessage, response: ServerResponse, correlationId: string): void
}

export function createEarlyRefusals(deps: EarlyRefusalDeps): EarlyRefusals {
  function refuse(
    request: IncomingMessage,
    response: ServerResponse,
    code: TokenRequestReasonCode,
    description: string,
    correlationId = deps.correlationIdOf(request),
  ): void {
    const { status = 500, error = 'server_error' } = findTokenRequestReason(code) ?? {}
    const checks = refusalChecks({ code })
    deps.onTokenRefused?.({
      correlationId,
      atMs: deps.nowMs(),
      durationMs: 0,
      method: request.method ?? '',
      status,
      error,
      description,
      code,
      address: deps.addressOf(request),
      checks,
    })
    const { callers } = deps
    const body = refusalBody({ error, description, correlationId, checks, callers })
    answerJson(response, status, body, {
      'x-request-id': correlationId,
      ...(status === 405 ? { allow: 'POST' } : {}),
    })
  }

  return {
    check(request, response) {
      if (request.method !== 'POST' && request.method !== 'OPTIONS') {
        refuse(request, response, 'method_not_allowed', POST_A_FORM)
        return true
      }
      if (countAuthorization(request.rawHeaders) < 2) return false
      const description = 'the request carries more than one Authorization header: send one'
      refuse(request, response, 'several_authorization_headers', description)
      return true
    },

    failed(request, response, correlationId) {
      const description = `the server failed; its log has the reason under ${correlationId}`
      refuse(request, response, 'server_error', description, correlationId)
    },
  }
}

function countAuthorization(rawHeaders: readonly string[]): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    if (name.length === 13 && name.toLowerCase() === 'authorization') count += 1
  }
  return count
}
