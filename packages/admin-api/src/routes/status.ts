import { type AdminAnswer, type AdminCall, answerJson } from '../call.ts'
import { describeAdminApi } from '../openapi.ts'

export async function showStatus({ deps }: AdminCall): Promise<AdminAnswer> {
  return answerJson(await deps.status())
}

export async function describeApi({ deps }: AdminCall): Promise<AdminAnswer> {
  return answerJson(describeAdminApi(deps.url))
}
