import type { RegistrationTokenView } from '@scopegate/oauth-model'
import { type AdminAnswer, type AdminCall, answerJson, offered } from '../call.ts'
import { AdminProblem } from '../problem.ts'
import { readJsonObject, refuseUnknown, textMember } from '../read-json.ts'
import { refuseWider } from './refuse-wider.ts'

export async function listRegistrationTokens({ deps }: AdminCall): Promise<AdminAnswer> {
  const tokens = await offered(deps.registrationTokens, 'dynamic registration').list()
  return answerJson({ registration_tokens: tokens.map(toWire) })
}

const MEMBERS = [
  'name',
  'scopes',
  'grants',
  'token_endpoint_auth_methods',
  'redirect_hosts',
  'uses',
  'expires_in',
]

export async function addRegistrationToken(call: AdminCall): Promise<AdminAnswer> {
  const { deps, request, token } = call
  const members = await readJsonObject(request)
  refuseUnknown(members, MEMBERS)
  const scopes = Array.isArray(members.scopes)
    ? members.scopes.join(' ')
    : textMember(members, 'scopes')
  refuseWider(scopes, token)
  const grants = list(members, 'grants')
  const authMethods = list(members, 'token_endpoint_auth_methods')
  const redirectHosts = list(members, 'redirect_hosts')
  const uses = count(members, 'uses')
  const expiresInSeconds = count(members, 'expires_in')
  const created = await offered(deps.registrationTokens, 'dynamic registration').create({
    name: textMember(members, 'name', 'registration'),
    scopes,
    ...(grants && { grants }),
    ...(authMethods && { authMethods }),
    ...(redirectHosts && { redirectHosts }),
    ...(uses !== undefined && { uses }),
    ...(expiresInSeconds !== undefined && { expiresInSeconds }),
  })
  if (!created.ok) throw new AdminProblem(400, created.why, created.fix)
  const { view } = created
  return answerJson(
    {
      ...toWire(view),
      initial_access_token: created.token,
      registration_endpoint: `${deps.addresses.issuer}/oauth/register`,
    },
    201,
    { target: `registration-token/${view.id}`, detail: { scopes: view.scopes, uses: view.uses } },
  )
}

export async function removeRegistrationToken({ deps, params }: AdminCall): Promise<AdminAnswer> {
  const id = params.id ?? ''
  if (!(await offered(deps.registrationTokens, 'dynamic registration').remove(id))) {
    throw new AdminProblem(
      404,
      'no such token',
      '`scopegate registration-token list` (GET /registration-tokens) lists them',
    )
  }
  return answerJson({ id, removed: true }, 200, { target: `registration-token/${id}` })
}

function toWire(view: RegistrationTokenView) {
  return {
    id: view.id,
    name: view.name,
    scopes: view.scopes,
    grants: view.grants,
    token_endpoint_auth_methods: view.authMethods,
    redirect_hosts: view.redirectHosts,
    uses: view.uses,
    uses_left: view.usesLeft,
    created_at: view.createdAt,
    ...(view.expiresAt !== undefined && { expires_at: view.expiresAt }),
  }
}

function list(members: Record<string, unknown>, name: string): string[] | undefined {
  const value = members[name]
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw new AdminProblem(400, `\`${name}\` must be a list of texts`)
}

function count(members: Record<string, unknown>, name: string): number | undefined {
  const value = members[name]
  if (value === undefined || typeof value === 'number') return value
  throw new AdminProblem(400, `\`${name}\` must be a whole number`)
}
