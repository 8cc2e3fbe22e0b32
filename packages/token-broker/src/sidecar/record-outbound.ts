import {
  type AccessAudit,
  redactApiPath,
  redactPath,
  type Trace,
  type TraceOutcome,
  type TraceSink,
  type UpstreamTrace,
} from '@scopegate/audit'
import { type AnyCheck, completeOutboundChecks, findFailure } from '@scopegate/checks'
import type { OutboundCall, OutboundRefusal } from './outbound-call.ts'
import { SIDECAR_PATH } from './sidecar-connection.ts'

export interface OutboundEnd {
  readonly outcome: TraceOutcome
  readonly status: number
  readonly checks: readonly AnyCheck[]
  readonly upstream?: UpstreamTrace
}

export interface OutboundRecorder {
  call(call: OutboundCall, end: OutboundEnd): void
  /** A trace of a request to no connection. */
  nowhere(
    request: {
      readonly method: string
      readonly url: string
      readonly correlationId: string
      readonly atMs: number
    },
    refusal: OutboundRefusal,
    status: number,
  ): void
  /** A trace, and a line in the audit. */
  refusal(call: OutboundCall, refusal: OutboundRefusal, status: number): void
}

export function createOutboundRecorder(
  deps: {
    readonly url: string
    readonly traces: TraceSink
    readonly audit?: Pick<AccessAudit, 'record'> | undefined
    readonly onError?: ((error: unknown, correlationId: string) => void) | undefined
  },
  nowMs: () => number,
): OutboundRecorder {
  const recorder: OutboundRecorder = {
    call(call, end) {
      deps.traces.record(end.outcome, () => traceOf(call, end, nowMs()))
    },
    nowhere({ method, url, correlationId, atMs }, { checks }, status) {
      deps.traces.record('refused', () => ({
        ...{ correlationId, atMs, method, status },
        endpoint: `${deps.url}${SIDECAR_PATH}`,
        path: redactApiPath(redactPath(url)),
        outcome: 'refused',
        durationMs: nowMs() - atMs,
        checks: completeOutboundChecks(checks),
      }))
    },
    refusal(call, { checks }, status) {
      const outcome = status >= 500 ? 'failed' : 'refused'
      recorder.call(call, { outcome, status, checks })
      const clientId = call.caller?.clientId ?? call.claimedClientId
      const reason = findFailure(checks)?.code
      deps.audit
        ?.record({
          atMs: call.startedAtMs,
          correlationId: call.correlationId,
          endpoint: call.route.resource,
          ...(clientId && { clientId }),
          interaction: call.method.toLowerCase(),
          decision: outcome,
          status,
          count: 0,
          ...(reason && { reason }),
        })
        ?.catch((error: unknown) => deps.onError?.(error, call.correlationId))
    },
  }
  return recorder
}

/** One request as the operator may see it: no value of it, and of tokens their fingerprints. */
function traceOf(call: OutboundCall, end: OutboundEnd, endedAtMs: number): Trace {
  const { route, token, caller } = call
  const { status, outcome, checks, upstream } = end
  const clientId = caller?.clientId ?? call.claimedClientId
  // Most upstreams speak FHIR; of the others only words of the path stay.
  const path = redactApiPath(redactPath(`${call.path}${call.query}`))
  return {
    correlationId: call.correlationId,
    atMs: call.startedAtMs,
    endpoint: route.resource,
    method: call.method,
    path: `${route.mount}${path}`,
    status,
    outcome,
    durationMs: endedAtMs - call.startedAtMs,
    ...(clientId && { clientId }),
    ...(caller && { issuer: caller.issuer }),
    ...(token && { tokenFingerprint: token.current.fingerprint }),
    checks: completeOutboundChecks(checks),
    ...(upstream && { upstream, plan: planOf(call) }),
  }
}

function planOf({ route, token }: OutboundCall): string {
  const parts = [`passed on through the connection ${route.connection.name}`]
  if (token?.isRenewed) parts.push('sent again with a new token after a 401')
  if (token?.rejection) parts.push(`401 stands: ${token.rejection.kind}`)
  return parts.join(', ')
}
