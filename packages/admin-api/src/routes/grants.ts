import type { GrantView } from '@scopegate/oauth-model'
import { type AdminAnswer, type AdminCall, answerJson, offered } from '../call.ts'
import { AdminProblem } from '../problem.ts'
import { findUser } from './find-user.ts'

const REASON = 'ended by an operator'

export async function listGrants({ deps, query }: AdminCall): Promise<AdminAnswer> {
  const { userId, clientId } = await readQuery(deps, query)
  const grants = await offered(deps.grants, 'grants').list({
    ...(userId !== undefined && { userId }),
    ...(clientId !== undefined && { clientId }),
  })
  return answerJson({ grants: grants.map(toWire) })
}

export async function revokeGrant({ deps, params }: AdminCall): Promise<AdminAnswer> {
  const id = params.id ?? ''
  if (!(await offered(deps.grants, 'grants').revoke(id, REASON))) {
    throw new AdminProblem(404, 'no such grant', 'GET /grants lists those that are alive')
  }
  return answerJson({ id, revoked: true }, 200, { target: `grant/${id}` })
}

/** Ends every grant of one user or of one client; without naming one, nothing. */
export async function revokeGrants({ deps, query }: AdminCall): Promise<AdminAnswer> {
  const { userId, clientId } = await readQuery(deps, query)
  const grants = offered(deps.grants, 'grants')
  if (userId !== undefined && clientId === undefined) {
    const revoked = await grants.revokeAllOf(userId, REASON)
    return answerJson({ user: userId, revoked }, 200, noted(`user/${userId}`, revoked))
  }
  if (clientId !== undefined && userId === undefined) {
    const revoked = await grants.revokeAllOfClient(clientId, REASON)
    return answerJson({ client_id: clientId, revoked }, 200, noted(`client/${clientId}`, revoked))
  }
  throw new AdminProblem(400, 'name either a user or a client', 'DELETE /grants?user=…')
}

function noted(target: string, revoked: number) {
  return { target, detail: { revoked } }
}

async function readQuery(
  deps: AdminCall['deps'],
  query: URLSearchParams,
): Promise<{ userId?: string; clientId?: string }> {
  const unknown = [...query.keys()].filter((name) => name !== 'user' && name !== 'client')
  if (unknown.length > 0) {
    throw new AdminProblem(400, `unknown parameters: ${unknown.join(', ')}`, 'use user and client')
  }
  const user = query.get('user')
  // A user who is gone has no name any more; the id still finds what is left.
  const userId = user && ((await findUser(deps, user))?.id ?? user)
  const clientId = query.get('client')
  return { ...(userId && { userId }), ...(clientId && { clientId }) }
}

function toWire(grant: GrantView) {
  return {
    id: grant.id,
    user: grant.userId,
    client_id: grant.clientId,
    scope: grant.scopes.join(' '),
    ...(grant.patient !== undefined && { patient: grant.patient }),
    created_at: grant.createdAt,
    ...(grant.lastUsedAt !== undefined && { last_used_at: grant.lastUsedAt }),
    ...(grant.expiresAt !== undefined && { expires_at: grant.expiresAt }),
  }
}
