import { redactApiPath } from '@scopegate/audit'
import type { Explanation } from '@scopegate/oauth-model'
import { type AdminAnswer, type AdminCall, type AuditNote, answerJson, offered } from '../call.ts'
import { AdminProblem } from '../problem.ts'
import { readJsonObject, refuseUnknown, textMember } from '../read-json.ts'

const MEMBERS = ['method', 'path', 'url', 'token', 'claims', 'body']

/** What a request would get, check by check. Who asks this about whose token is audited. */
export async function explain({ deps, request }: AdminCall): Promise<AdminAnswer> {
  const members = await readJsonObject(request)
  refuseUnknown(members, MEMBERS)
  const { token, claims } = members
  if ((token === undefined) === (claims === undefined)) {
    throw new AdminProblem(400, 'send either `token` or `claims`')
  }
  if (
    claims !== undefined &&
    (claims === null || typeof claims !== 'object' || Array.isArray(claims))
  ) {
    throw new AdminProblem(400, '`claims` must be a JSON object')
  }
  const asked = {
    method: textMember(members, 'method', 'GET').toUpperCase(),
    path: addressOf(members),
  }
  const explanation = await deps.explainer.explain({
    ...asked,
    ...(token !== undefined && { token: bareToken(textMember(members, 'token')) }),
    ...(claims !== undefined && { claims: claims as Record<string, unknown> }),
    ...(members.body !== undefined && { body: textMember(members, 'body') }),
  })
  const failed = explanation.checks.find(({ outcome }) => outcome === 'fail')
  return answerJson(
    { ...explanation, ...(failed?.fix && { fix: failed.fix }) },
    200,
    noteOf(asked, token === undefined ? 'claims' : 'token', explanation),
  )
}

/** What a request would need: scopes, audience, issuer. */
export async function explainNeeds({ deps, request }: AdminCall): Promise<AdminAnswer> {
  const members = await readJsonObject(request)
  refuseUnknown(members, ['method', 'path', 'url'])
  const ask = offered(deps.explainer.needs, 'way to tell what a request needs')
  return answerJson(
    await ask({
      method: textMember(members, 'method', 'GET').toUpperCase(),
      path: addressOf(members),
    }),
  )
}

/** A path of this server, or a whole address; `url` and `path` mean the same. */
function addressOf(members: Record<string, unknown>): string {
  if (members.url !== undefined && members.path !== undefined) {
    throw new AdminProblem(400, '`url` and `path` mean the same', 'send one of them')
  }
  const name = members.url === undefined ? 'path' : 'url'
  const address = textMember(members, name)
  if (address.startsWith('/') || /^https?:\/\//i.test(address)) return address
  throw new AdminProblem(
    400,
    `\`${name}\` must start with /, http:// or https://`,
    'such as /fhir/r4/Observation/123',
  )
}

/** People paste what stands in the header. */
function bareToken(text: string): string {
  return text.trim().replace(/^(?:bearer|dpop) +/i, '')
}

function noteOf(
  { method, path }: { readonly method: string; readonly path: string },
  by: 'token' | 'claims',
  { allowed, status, checks, fingerprint }: Explanation,
): AuditNote {
  const reason = checks.find(({ outcome }) => outcome === 'fail')?.code
  const { pathname } = URL.parse(path, 'http://here') ?? { pathname: path }
  return {
    target: redactApiPath(pathname),
    detail: {
      method: method.slice(0, 20),
      by,
      allowed,
      status,
      ...(reason !== undefined && { reason }),
      ...(fingerprint !== undefined && { fingerprint }),
    },
  }
}
