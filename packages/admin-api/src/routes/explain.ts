import { type AdminAnswer, type AdminCall, answerJson } from '../call.ts'
import { AdminProblem } from '../problem.ts'
import { readJsonObject, refuseUnknown, textMember } from '../read-json.ts'

const MEMBERS = ['method', 'path', 'token', 'claims', 'body']

export async function explain({ deps, request }: AdminCall): Promise<AdminAnswer> {
  const members = await readJsonObject(request)
  refuseUnknown(members, MEMBERS)
  const { token, claims } = members
  if ((token === undefined) === (claims === undefined)) {
    throw new AdminProblem(400, 'send either `token` or `claims`')
  }
  if (claims !== undefined && (claims === null || typeof claims !== 'object')) {
    throw new AdminProblem(400, '`claims` must be a JSON object')
  }
  const path = textMember(members, 'path')
  if (!path.startsWith('/')) {
    throw new AdminProblem(400, '`path` must start with /', 'such as /fhir/r4/Observation/123')
  }
  const explanation = await deps.explainer.explain({
    method: textMember(members, 'method', 'GET').toUpperCase(),
    path,
    ...(token !== undefined && { token: textMember(members, 'token') }),
    ...(claims !== undefined && { claims: claims as Record<string, unknown> }),
    ...(members.body !== undefined && { body: textMember(members, 'body') }),
  })
  return answerJson(explanation)
}
