import type { Trace } from '@scopegate/audit'
import type { TokenRefusal } from '@scopegate/authorization-server'

/** A failed token request as the trace store keeps it. The refusal holds no secret. */
export function tokenTrace(refusal: TokenRefusal, tokenEndpoint: string): Trace {
  const { correlationId, atMs, durationMs, method, status, clientId, checks } = refusal
  return {
    correlationId,
    atMs,
    endpoint: tokenEndpoint,
    method,
    path: new URL(tokenEndpoint).pathname,
    status,
    outcome: status >= 500 ? 'failed' : 'refused',
    durationMs,
    ...(clientId !== undefined && { clientId }),
    checks,
  }
}
