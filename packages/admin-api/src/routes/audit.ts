import { type AdminAnswer, type AdminCall, answerJson } from '../call.ts'

export async function verifyAudit({ deps }: AdminCall): Promise<AdminAnswer> {
  return answerJson(await deps.audit.verify())
}
