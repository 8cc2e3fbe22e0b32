import type { ClientAnswer, ClientView } from '@scopegate/oauth-model'
import { type AdminAnswer, type AdminCall, answerJson } from '../call.ts'
import { curlLine } from '../kit/curl-kit.ts'
import { kitFacts } from '../kit/kit-facts.ts'
import { postmanEnvironment } from '../kit/postman-kit.ts'
import { AdminProblem } from '../problem.ts'
import { readJsonObject, refuseUnknown } from '../read-json.ts'
import { kitLinks } from './client-kit.ts'
import { CLIENT_MEMBERS, clientToWire, readClientChange, readNewClient } from './client-members.ts'
import { findClient } from './find-client.ts'
import { refuseWider } from './refuse-wider.ts'

export async function listClients({ deps }: AdminCall): Promise<AdminAnswer> {
  const clients = await deps.clients.list()
  return answerJson({ clients: clients.map(clientToWire) })
}

export async function showClient(call: AdminCall): Promise<AdminAnswer> {
  const client = await findClient(call)
  return answerJson({ ...clientToWire(client), kit: kitLinks(call, client) })
}

export async function addClient(call: AdminCall): Promise<AdminAnswer> {
  const { deps, request, token } = call
  const members = await readJsonObject(request)
  refuseUnknown(members, ['client_id', ...CLIENT_MEMBERS])
  const wanted = readNewClient(members)
  refuseWider(wanted.scopes, token)
  const { client, clientSecret } = unwrap(await deps.clients.add(wanted))
  return answerJson({ ...clientToWire(client), ...handOver(call, client, clientSecret) }, 201, {
    target: `client/${client.clientId}`,
    detail: { scopes: client.scopes, grants: client.grants },
  })
}

export async function changeClient(call: AdminCall): Promise<AdminAnswer> {
  const { deps, request, token } = call
  const former = await findClient(call)
  const members = await readJsonObject(request)
  refuseUnknown(members, ['disabled', ...CLIENT_MEMBERS])
  const change = readClientChange(members)
  refuseWider(`${former.scopes} ${change.scopes ?? ''}`, token)
  const { client, clientSecret } = unwrap(await deps.clients.update(former.clientId, change))
  return answerJson(
    { ...clientToWire(client), ...(clientSecret && handOver(call, client, clientSecret)) },
    200,
    { target: `client/${client.clientId}`, detail: { changed: Object.keys(members) } },
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
  // Whoever gets the name next must not get the right to sign with it.
  await deps.signKeys?.revokeAllOf({ kind: 'client', name: clientId })
  return answerJson({ client_id: clientId, removed: true }, 200, { target: `client/${clientId}` })
}

/** What comes with a new client: its secret, this once, and what works as pasted. */
function handOver(call: AdminCall, client: ClientView, clientSecret: string | undefined) {
  const { addresses } = call.deps
  const links = { token_endpoint: addresses.tokenEndpoint, kit: kitLinks(call, client) }
  if (clientSecret === undefined) return links
  const facts = kitFacts(client, addresses)
  const curl = client.dpopBound ? undefined : curlLine(facts, clientSecret)
  return {
    client_secret: clientSecret,
    ...links,
    ...(curl !== undefined && { curl }),
    ...(links.kit && { environment: postmanEnvironment(facts, clientSecret) }),
  }
}

function unwrap<Value>(answer: ClientAnswer<Value>): Value {
  if (answer.ok) return answer
  throw new AdminProblem(answer.status, answer.why, answer.fix)
}
