import type { AccessEvent } from '@scopegate/audit'
import { newCorrelationId } from '@scopegate/http'
import type { DirectoryUser } from '@scopegate/oauth-model'
import type { CompiledAccess } from '@scopegate/smart-scopes'

/** What a call of the directory was. */
export interface Lookup {
  readonly atMs: number
  readonly baseUrl: string
  readonly issuer: string
  readonly user: DirectoryUser
  readonly type: string
  /** Of a call for one instance. */
  readonly id?: string
  readonly compiled: CompiledAccess
  readonly count: number
}

/** The row of the audit: a search or a read by this user, by no client. */
export function lookupEvent(lookup: Lookup): AccessEvent {
  const { atMs, baseUrl, issuer, user, type, id, count } = lookup
  return {
    atMs,
    correlationId: newCorrelationId(atMs),
    endpoint: baseUrl,
    issuer,
    subject: user.subject,
    ...(user.fhirUser === undefined ? {} : { fhirUser: user.fhirUser }),
    interaction: id === undefined ? 'search-type' : 'read',
    resourceType: type,
    ...(id === undefined ? {} : { resourceId: id }),
    ...outcomeOf(lookup),
    count,
  }
}

function outcomeOf({ compiled, type, id, count }: Lookup) {
  const voided = compiled.voided.find(({ parsed }) => parsed?.type === type)
  if (voided !== undefined) {
    return { decision: 'refused', status: 403, reason: voided.code } as const
  }
  return id !== undefined && count === 0
    ? ({ decision: 'absent', status: 404 } as const)
    : ({ decision: 'permitted', status: 200 } as const)
}
