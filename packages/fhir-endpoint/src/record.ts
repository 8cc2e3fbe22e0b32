import { type AccessAudit, redactPath, type Trace, type TraceSink } from '@scopegate/audit'
import { type Check, completeChecks, findFailure, redactClaims } from '@scopegate/checks'
import { isResourceType } from '@scopegate/fhir-model'
import type { TokenVerdict, VerifiedToken } from '@scopegate/oauth-model'
import type { Call } from './call.ts'
import type { Reply } from './reply.ts'

/** What one request or batch entry was, for audit and trace. */
export interface Occurrence {
  readonly call: Call
  readonly reply: Reply
  /** As in FHIR's restful-interaction, or `unknown`. */
  readonly interaction: string
  readonly type?: string
  readonly id?: string
  readonly token?: VerifiedToken
  /** What an unverified token says of itself. */
  readonly claimed?: Extract<TokenVerdict, { ok: false }>['claimed']
  /** The checks made before those of the reply. */
  readonly trail: readonly Check[]
}

/**
 * Leaves the row of the audit. @returns what a request must wait for where the audit is required
 */
export function recordAccess(
  audit: Pick<AccessAudit, 'record'>,
  endpoint: string,
  occurrence: Occurrence,
): Promise<void> | undefined {
  const { call, reply, interaction, type, id, token, claimed } = occurrence
  const reason = reply.outcome === 'permitted' ? undefined : findFailure(reply.checks ?? [])?.code
  return audit.record({
    atMs: call.startedAtMs,
    correlationId: call.correlationId,
    endpoint,
    ...(token === undefined
      ? {
          ...(claimed?.issuer === undefined ? {} : { issuer: claimed.issuer }),
          ...(claimed?.clientId === undefined ? {} : { clientId: claimed.clientId }),
        }
      : {
          issuer: token.issuer,
          clientId: token.clientId,
          subject: token.subject,
          ...(token.fhirUser === undefined ? {} : { fhirUser: token.fhirUser }),
          ...(token.patient === undefined ? {} : { patient: token.patient }),
        }),
    interaction,
    ...(type === undefined ? {} : { resourceType: type }),
    ...(id === undefined ? {} : { resourceId: id }),
    decision: reply.outcome,
    status: reply.status,
    count: reply.count,
    ...(reason === undefined ? {} : { reason }),
    ...(call.entry === undefined ? {} : { entry: call.entry }),
  })
}

/** Leaves the trace: all checks, the claims without persons, the path without search values. */
export function recordTrace(
  traces: TraceSink,
  endpoint: string,
  occurrence: Occurrence,
  endedAtMs: number,
): void {
  const { reply } = occurrence
  traces.record(reply.outcome, () => traceOf(endpoint, occurrence, endedAtMs))
}

function traceOf(endpoint: string, occurrence: Occurrence, endedAtMs: number): Trace {
  const { call, reply, token, claimed, trail } = occurrence
  const clientId = token?.clientId ?? claimed?.clientId
  const issuer = token?.issuer ?? claimed?.issuer
  const fingerprint = token?.fingerprint ?? claimed?.fingerprint
  return {
    correlationId: call.correlationId,
    atMs: call.startedAtMs,
    endpoint,
    method: call.method,
    path: pathOf(call),
    status: reply.status,
    outcome: reply.outcome,
    durationMs: endedAtMs - call.startedAtMs,
    ...(clientId === undefined ? {} : { clientId }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(fingerprint === undefined ? {} : { tokenFingerprint: fingerprint }),
    ...(token === undefined ? {} : { claims: claimsOf(token) }),
    checks: completeChecks([...trail, ...(reply.checks ?? [])]),
  }
}

/** What is no address of ours may hold anything. */
function pathOf({ target, segments: [first] }: Call): string {
  const isOurs = first === undefined || first === 'metadata' || isResourceType(first)
  return isOurs ? redactPath(target) : '/…'
}

function claimsOf(token: VerifiedToken): Record<string, unknown> {
  return redactClaims({
    iss: token.issuer,
    aud: token.audience,
    iat: token.issuedAt,
    exp: token.expiresAt,
    client_id: token.clientId,
    scope: token.scope,
    sub: token.subject,
    ...(token.patient === undefined ? {} : { patient: token.patient }),
    ...(token.fhirUser === undefined ? {} : { fhirUser: token.fhirUser }),
    ...(token.encounter === undefined ? {} : { encounter: token.encounter }),
  })
}
