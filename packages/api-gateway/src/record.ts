import { redactApiPath, type Trace, type TraceOutcome, type UpstreamTrace } from '@scopegate/audit'
import { type AnyCheck, completeApiChecks, findFailure, redactClaims } from '@scopegate/checks'
import type { ForwardEnd, UpstreamFailure } from '@scopegate/upstream'
import type { ApiCall, Refusal } from './call.ts'
import type { ApiGatewayDeps } from './deps.ts'

/** How a request ended, for its trace. */
export interface CallEnd {
  readonly outcome: TraceOutcome
  readonly status: number
  readonly upstream?: UpstreamTrace
}

export interface CallRecorder {
  /** A trace. `checks` are asked for only if it is kept. */
  call(call: ApiCall, end: CallEnd, checks: () => readonly AnyCheck[]): void
  /** A trace, and a line in the audit. */
  refusal(call: ApiCall, refusal: Refusal, status: number): void
}

export function createCallRecorder(
  { traces, audit, onError }: Pick<ApiGatewayDeps, 'traces' | 'audit' | 'onError'>,
  nowMs: () => number,
): CallRecorder {
  const recorder: CallRecorder = {
    call(call, end, checks) {
      traces.record(end.outcome, () => traceOf(call, { ...end, endedAtMs: nowMs() }, checks()))
    },
    refusal(call, refusal, status) {
      const outcome = status >= 500 ? 'failed' : 'refused'
      recorder.call(call, { outcome, status }, () => refusal.checks)
      const { caller, claimed } = call
      const clientId = caller?.clientId ?? claimed?.clientId
      const issuer = caller?.issuer ?? claimed?.issuer
      const reason = findFailure(refusal.checks)?.code
      audit
        ?.record({
          atMs: call.startedAtMs,
          correlationId: call.correlationId,
          endpoint: call.api.url,
          ...(issuer === undefined ? {} : { issuer }),
          ...(clientId === undefined ? {} : { clientId }),
          ...(caller === undefined ? {} : { subject: caller.subject }),
          interaction: call.method.toLowerCase(),
          decision: outcome,
          status,
          count: 0,
          ...(reason === undefined ? {} : { reason }),
        })
        ?.catch((error: unknown) => onError?.(error, call.correlationId))
    },
  }
  return recorder
}

/** How the upstream fared, as a trace has it. */
export function upstreamTraceOf(
  origin: string,
  { timing, failure }: { timing: ForwardEnd['timing']; failure?: UpstreamFailure | undefined },
): UpstreamTrace {
  return { origin, ...timing, ...(failure && { failure: failure.code }) }
}

/** One request as the operator may see it: every check, no person, no id, no value of a query. */
function traceOf(
  call: ApiCall,
  end: CallEnd & { readonly endedAtMs: number },
  checks: readonly AnyCheck[],
): Trace {
  const { api, caller, claimed } = call
  const clientId = caller?.clientId ?? claimed?.clientId
  const issuer = caller?.issuer ?? claimed?.issuer
  const fingerprint = caller?.fingerprint ?? claimed?.fingerprint
  const { status, outcome, endedAtMs, upstream } = end
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
    ...(upstream && { upstream, plan: planOf(call) }),
  }
}

/** What was done, without a value of the request. */
function planOf({ api, route, upstreamToken }: ApiCall): string {
  const parts = [`passed on by the route ${route?.path ?? 'of none'}`]
  if (upstreamToken !== undefined) {
    const { current, isRenewed } = upstreamToken
    parts.push(`with the token ${current.fingerprint} of the connection ${api.forward.tokenOf}`)
    if (isRenewed) parts.push('renewed after the upstream had refused the former one')
  }
  return parts.join(', ')
}
