import type { ReadAnswer, StoredVersion } from '@scopegate/fhir-model'
import { etagOf, isNotModified, lastModifiedOf } from './conditional-headers.ts'
import { absentReply, faultReply, type Reply } from './reply.ts'
import { restrictRead } from './restrict.ts'
import type { Step } from './step.ts'
import { subset } from './subset.ts'

/** `GET [type]/[id]`. @see https://hl7.org/fhir/R4/http.html#read */
export async function read(
  step: Step,
  target: { readonly type: string; readonly id: string },
): Promise<Reply> {
  const { endpoint, caller } = step
  const answer = await endpoint.backend.read({ type: target.type, id: target.id }, caller.access)
  return readReply(step, restrictRead(step, target, answer))
}

/** `GET [type]/[id]/_history/[vid]`. @see https://hl7.org/fhir/R4/http.html#vread */
export async function readVersion(
  step: Step,
  target: { readonly type: string; readonly id: string; readonly versionId: number },
): Promise<Reply> {
  const { endpoint, caller } = step
  const key = { type: target.type, id: target.id }
  const answer = await endpoint.backend.readVersion(key, target.versionId, caller.access)
  return readReply(step, restrictRead(step, key, answer))
}

/** Conditions and trimming come after visibility: a hidden instance answers as an absent one. */
export function readReply(step: Step, answer: ReadAnswer): Reply {
  const { call, wishes } = step
  if (answer.kind === 'absent') return absentReply(call, answer.checks)
  if (answer.kind === 'gone') {
    return faultReply(
      call,
      410,
      {
        code: 'deleted',
        text: 'the resource was deleted',
        fix: 'its history has the earlier versions',
      },
      versionHeaders(answer.version),
    )
  }
  const { version } = answer
  const headers = versionHeaders(version)
  if (isNotModified(call, version)) {
    return { status: 304, headers, body: null, outcome: 'permitted', count: 0 }
  }
  if (wishes.summary === 'count') {
    return faultReply(call, 400, {
      code: 'invalid',
      text: '`_summary=count` has a meaning for searches only',
      fix: 'leave it out',
    })
  }
  return {
    status: 200,
    headers,
    body: subset(version.type, version.body, wishes),
    outcome: 'permitted',
    count: 1,
    lastUpdated: version.lastUpdated,
  }
}

/** `ETag` and `Last-Modified` of an answer that is about this version. */
export function versionHeaders(version: StoredVersion): Record<string, string> {
  return { ETag: etagOf(version), 'Last-Modified': lastModifiedOf(version) }
}
