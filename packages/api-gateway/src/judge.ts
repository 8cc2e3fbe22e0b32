import type { ServerResponse } from 'node:http'
import { failed } from '@scopegate/checks'
import type { Authentication, createAuthenticate } from './authenticate.ts'
import type { ApiCall, Refusal } from './call.ts'
import { refuseCaller, refuseRoute } from './decide.ts'

export type Judgement =
  | { readonly kind: 'permitted'; readonly sessionId?: string }
  | {
      readonly kind: 'refused' | 'sign-in'
      readonly refusal: Refusal
      /** The issuer could not be asked: nothing is known of the credentials. */
      readonly isOutage?: true
    }

export type Judge = (call: ApiCall, response?: ServerResponse) => Promise<Judgement>

const PERMITTED: Judgement = Object.freeze({ kind: 'permitted' })

/** Whether a request may go on; else its refusal. Fills in route, caller and checks of the call. */
export function createJudge(
  authenticate: ReturnType<typeof createAuthenticate>,
  onError: ((error: unknown, correlationId: string) => void) | undefined,
): Judge {
  return async function judge(call, response) {
    const { api } = call
    const match = api.routes.match(call.method, call.path)
    if (match.kind === 'route') {
      call.route = match.route
      if (match.route.public) return PERMITTED
    }
    let verdict: Authentication
    try {
      verdict = await authenticate(call, response)
    } catch (error) {
      if (!isKeysUnavailable(error)) throw error
      onError?.(error, call.correlationId)
      const refusal = { checks: [failed(error.code)], headers: { 'Retry-After': '5' } }
      return { kind: 'refused', refusal, isOutage: true }
    }
    if (verdict.kind !== 'caller') return verdict
    call.caller = verdict.caller
    const refusal =
      refuseRoute(match, call) ?? refuseCaller(verdict.caller, call.route!, api.auth.requiredScopes)
    if (refusal !== undefined) {
      return {
        kind: 'refused',
        refusal: { ...refusal, checks: [...call.checks, ...refusal.checks] },
      }
    }
    return verdict.sessionId === undefined
      ? PERMITTED
      : { kind: 'permitted', sessionId: verdict.sessionId }
  }
}

function isKeysUnavailable(error: unknown): error is Error & {
  readonly code: 'keys_unavailable' | 'introspection_unavailable'
} {
  const { code } = (error ?? {}) as { code?: unknown }
  return (
    error instanceof Error && (code === 'keys_unavailable' || code === 'introspection_unavailable')
  )
}
