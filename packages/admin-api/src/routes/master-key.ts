import { type AdminAnswer, type AdminCall, answerJson, offered } from '../call.ts'
import type { MasterKeyStatus } from '../ports.ts'
import { AdminProblem } from '../problem.ts'
import { readJsonObject, refuseUnknown, textMember } from '../read-json.ts'

/** Which master key seals, and how far its change is. */
export async function showMasterKey({ deps }: AdminCall): Promise<AdminAnswer> {
  return answerJson(toJson(await offered(deps.masterKey, 'master key').status()))
}

/** Puts a new master key in force and begins to seal everything anew; under way: how far it is. */
export async function changeMasterKey({ deps, request }: AdminCall): Promise<AdminAnswer> {
  const members = await readJsonObject(request)
  refuseUnknown(members, ['to', 'leave_unreadable'])
  const answer = await offered(deps.masterKey, 'master key').begin({
    ...(members.to !== undefined && { to: textMember(members, 'to') }),
    ...(members.leave_unreadable === true && { leaveUnreadable: true }),
  })
  if ('refused' in answer) throw new AdminProblem(409, answer.refused)
  return answerJson(toJson(answer), 202, {
    target: `master-key/${answer.current}`,
    detail: { former: answer.former },
  })
}

function toJson(status: MasterKeyStatus) {
  const { remainingByColumn, waitingFor, ...rest } = status
  return { ...rest, remaining_by_column: remainingByColumn, waiting_for: waitingFor }
}
