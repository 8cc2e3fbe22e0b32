import type { WriteAnswer } from '@scopegate/fhir-model'
import { versionHeaders } from './read.ts'
import { refuse } from './refuse.ts'
import { absentReply, faultReply, outcomeText, type Reply } from './reply.ts'
import type { Step } from './step.ts'

/**
 * The answer to a write. To a PUT a hidden instance answers as one that was never there and may
 * not be made by the caller (405); a result that the caller may not read is answered without body.
 * @see enforcement rules 5.5, 5.8
 */
export function writeReply(
  step: Step,
  verb: 'create' | 'update' | 'delete',
  answer: WriteAnswer,
): Reply {
  const { call } = step
  switch (answer.kind) {
    case 'done':
      return answer.version.deleted ? deletedReply(step, answer) : storedReply(step, answer)
    case 'absent':
      return verb === 'update'
        ? notCreatable(step, answer.checks)
        : absentReply(call, answer.checks)
    case 'no-update-create':
      return notCreatable(step, [])
    case 'refused':
      return refuse(step, answer.checks)
    case 'conflict':
      return conflictReply(step, answer)
  }
}

type Done = Extract<WriteAnswer, { kind: 'done' }>

function storedReply(step: Step, { version, outcome, readable }: Done): Reply {
  const { call, endpoint, wishes } = step
  const location = `${endpoint.baseUrl}/${version.type}/${version.id}/_history/${version.versionId}`
  const wished =
    wishes.return === 'default'
      ? call.entry === undefined
        ? 'representation'
        : 'minimal'
      : wishes.return
  const shown = wished === 'representation' && readable
  const body =
    wished === 'OperationOutcome'
      ? outcomeText(call, [{ severity: 'information', code: 'informational', text: DONE[outcome] }])
      : shown
        ? version.body
        : null
  const created = outcome === 'created'
  return {
    status: created ? 201 : 200,
    headers: {
      ...versionHeaders(version),
      ...(created ? { Location: location } : {}),
      ...(shown ? { 'Content-Location': location } : {}),
    },
    body,
    outcome: 'permitted',
    count: shown ? 1 : 0,
    lastUpdated: version.lastUpdated,
  }
}

function deletedReply(step: Step, { version, outcome }: Done): Reply {
  const { call, wishes } = step
  const told = wishes.return === 'OperationOutcome'
  return {
    status: told ? 200 : 204,
    headers: versionHeaders(version),
    body: told
      ? outcomeText(call, [{ severity: 'information', code: 'informational', text: DONE[outcome] }])
      : null,
    outcome: 'permitted',
    count: 0,
    lastUpdated: version.lastUpdated,
  }
}

const DONE: Readonly<Record<Done['outcome'], string>> = {
  created: 'created',
  updated: 'updated',
  unchanged: 'nothing to change: the content is the same',
  deleted: 'deleted',
  'already-deleted': 'it was deleted before',
  existing: 'nothing was created: a match exists',
}

/** The same for a hidden instance, an unknown id and a deleted one that may not be revived. */
function notCreatable(step: Step, checks: NonNullable<Reply['checks']>): Reply {
  return {
    ...faultReply(
      step.call,
      405,
      {
        code: 'not-supported',
        text: 'there is no such resource, and ids are not chosen by the client here',
        fix: 'create it with POST; the server chooses the id',
      },
      { Allow: 'GET, HEAD, OPTIONS' },
    ),
    outcome: 'absent',
    checks,
  }
}

function conflictReply(step: Step, answer: Extract<WriteAnswer, { kind: 'conflict' }>): Reply {
  switch (answer.why) {
    case 'version':
      return faultReply(step.call, 412, {
        code: 'conflict',
        text:
          answer.currentVersionId === undefined
            ? 'the resource has changed: `If-Match` does not name its current version'
            : `the resource has changed: its version is ${answer.currentVersionId}`,
        fix: 'read it again, merge, and send the new version in If-Match',
      })
    case 'exists':
      return faultReply(step.call, 412, {
        code: 'duplicate',
        text: 'the resource exists: `If-None-Match: *` permits only to create it',
        fix: 'update it with If-Match',
      })
    case 'several-matches':
      return faultReply(step.call, 412, {
        code: 'duplicate',
        text: 'the condition matches several resources',
        fix: 'narrow the condition to one',
      })
  }
}
