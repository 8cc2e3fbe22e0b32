import { redactApiPath, type Trace, type TraceOutcome } from '@scopegate/audit'
import { type AnyCheck, completeApiChecks, redactClaims } from '@scopegate/checks'
import type { ApiCall } from './call.ts'

/** One request as the operator may see it: every check, no person, no id, no value of a query. */
export function traceOf(
  call: ApiCall,
  end: { readonly outcome: TraceOutcome; readonly status: number; readonly endedAtMs: number },
  checks: readonly AnyCheck[],
): Trace {
  const { api, caller, claimed } = call
  const clientId = caller?.clientId ?? claimed?.clientId
  const issuer = caller?.issuer ?? claimed?.issuer
  const fingerprint = caller?.fingerprint ?? claimed?.fingerprint
  const { status, outcome, endedAtMs } = end
  return {
    correlationId: call.correlationId,
    atMs: call.startedAtMs,
    endpoint: api.url,
    method: call.method,
    path: `${api.path}${redactApiPath(`${call.path}${call.query}`)}`,
    status,
    outcome,
    durationMs: endedAtMs - call.startedAtMs,
    ...(clientId === undefined ? {} : { clientId }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(fingerprint === undefined ? {} : { tokenFingerprint: fingerprint }),
    ...(caller === undefined ? {} : { claims: redactClaims(caller.claims) }),
    checks: completeApiChecks(checks),
  }
}
