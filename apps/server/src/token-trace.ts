import type { Trace } from '@scopegate/audit'
import type { TokenRefusal } from '@scopegate/authorization-server'

/** A request that the authorization server refused, as the trace store keeps it; without secrets. */
export function tokenTrace(refusal: TokenRefusal, tokenEndpoint: string): Trace {
  const { correlationId, atMs, durationMs, method, status, clientId, checks } = refusal
  const path = refusal.path ?? new URL(tokenEndpoint).pathname
  return {
    correlationId,
    atMs,
    endpoint: new URL(path, tokenEndpoint).href,
    method,
    path,
    status,
    outcome: status >= 500 ? 'failed' : 'refused',
    durationMs,
    ...(clientId !== undefined && { clientId }),
    checks,
  }
}
