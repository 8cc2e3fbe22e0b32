import type { ClientAnswer, ClientView, VerifiedToken } from '@scopegate/oauth-model'
import { type AdminAnswer, type AdminCall, answerJson } from '../call.ts'
import { AdminProblem } from '../problem.ts'
import { readJsonObject, refuseUnknown, textMember } from '../read-json.ts'

export async function listClients({ deps }: AdminCall): Promise<AdminAnswer> {
  const clients = await deps.clients.list()
  return answerJson({ clients: clients.map(toWire) })
}

export async function showClient({ deps, params }: AdminCall): Promise<AdminAnswer> {
  const client = await deps.clients.find(params.id ?? '')
  if (!client) throw noSuchClient(params.id)
  return answerJson(toWire(client))
}

const MEMBERS = ['client_id', 'name', 'grants', 'scopes', 'jwks', 'jwks_uri']

export async function addClient({ deps, request, token }: AdminCall): Promise<AdminAnswer> {
  const members = await readJsonObject(request)
  refuseUnknown(members, MEMBERS)
  const { jwks } = members
  const scopes = textMember(members, 'scopes')
  refuseWider(scopes, token)
  if (jwks !== undefined && (jwks === null || typeof jwks !== 'object')) {
    throw new AdminProblem(400, '`jwks` must be a JWK set', 'send {"keys": [ … ]}')
  }
  const made = unwrap(
    await deps.clients.add({
      ...(members.client_id !== undefined && { clientId: textMember(members, 'client_id') }),
      name: textMember(members, 'name'),
      grants: textList(members.grants ?? ['client_credentials'], 'grants'),
      scopes,
      ...(jwks !== undefined && { jwks: jwks as Record<string, unknown> }),
      ...(members.jwks_uri !== undefined && { jwksUri: textMember(members, 'jwks_uri') }),
    }),
  )
  const { client, clientSecret } = made
  return answerJson(
    { ...toWire(client), ...(clientSecret !== undefined && { client_secret: clientSecret }) },
    201,
    {
      target: `client/${client.clientId}`,
      detail: { scopes: client.scopes, grants: client.grants },
    },
  )
}

export async function rotateSecret(call: AdminCall): Promise<AdminAnswer> {
  const { deps, params, token } = call
  const clientId = params.id ?? ''
  const overlapSeconds = await readOverlap(call)
  refuseWider((await deps.clients.find(clientId))?.scopes ?? '', token)
  const { clientSecret } = unwrap(await deps.clients.rotateSecret(clientId, { overlapSeconds }))
  return answerJson(
    { client_id: clientId, client_secret: clientSecret, overlap_seconds: overlapSeconds },
    200,
    { target: `client/${clientId}`, detail: { overlapSeconds } },
  )
}

const DAY_SECONDS = 86_400

/** How long the former secret goes on; the body may be left out. */
async function readOverlap({ request }: AdminCall): Promise<number> {
  if (request.headers.get('content-type') === null) return DAY_SECONDS
  const members = await readJsonObject(request)
  refuseUnknown(members, ['overlap_seconds'])
  const { overlap_seconds: seconds = DAY_SECONDS } = members
  if (Number.isInteger(seconds) && Number(seconds) >= 0 && Number(seconds) <= 30 * DAY_SECONDS) {
    return Number(seconds)
  }
  throw new AdminProblem(400, '`overlap_seconds` must be a whole number from 0 to 2592000')
}

export async function removeClient({ deps, params }: AdminCall): Promise<AdminAnswer> {
  const clientId = params.id ?? ''
  unwrap(await deps.clients.remove(clientId))
  return answerJson({ client_id: clientId, removed: true }, 200, { target: `client/${clientId}` })
}

/**
 * Who may manage clients may not become more than that by way of a client: admin scopes are given,
 * and secrets that have them replaced, only by those who have them.
 */
function refuseWider(scopes: string, token: VerifiedToken): void {
  const own = token.scope.split(' ')
  const beyond = scopes
    .split(' ')
    .filter((scope) => scope.startsWith('admin/') && !own.includes(scope))
  if (beyond.length === 0) return
  throw new AdminProblem(
    403,
    `the client would have scopes that your token does not: ${beyond.join(' ').slice(0, 500)}`,
    'use a token that has them, such as the one of the command line',
  )
}

function unwrap<Value>(answer: ClientAnswer<Value>): Value {
  if (answer.ok) return answer
  throw new AdminProblem(answer.status, answer.why, answer.fix)
}

function noSuchClient(clientId: string | undefined): AdminProblem {
  return new AdminProblem(404, `no client \`${clientId}\``, 'GET /clients lists them')
}

function toWire(client: ClientView) {
  return {
    client_id: client.clientId,
    name: client.name,
    source: client.source,
    grants: client.grants,
    scopes: client.scopes,
    authentication: client.authentication,
    disabled: client.disabled,
    created_at: client.createdAt,
  }
}

function textList(value: unknown, name: string): string[] {
  const list = typeof value === 'string' ? value.split(/[\s,]+/) : value
  if (Array.isArray(list) && list.length > 0 && list.every((item) => typeof item === 'string')) {
    return list
  }
  throw new AdminProblem(400, `\`${name}\` must be a list of texts`)
}
