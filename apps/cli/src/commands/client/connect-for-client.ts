import { type AdminClient, connectAdmin } from '../../connection/admin-client.ts'
import type { CliContext } from '../../context.ts'
import { type ClientAnswer, clientPath } from './client-answer.ts'

/**
 * For a change of what a client may do, or of what authenticates it: whoever makes one must have
 * the admin scopes that the client has, and those it would have (`scopes`). @throws {CliError}
 */
export async function connectForClient(
  context: CliContext,
  url: string | undefined,
  id: string,
  scopes = '',
): Promise<AdminClient> {
  const usual = ['admin/clients.read', 'admin/clients.write']
  const admin = await connectAdmin(context, url, usual.join(' '))
  const client = await admin.call<ClientAnswer>('GET', clientPath(id))
  const needed = new Set([...usual, ...adminScopes(client.scopes), ...adminScopes(scopes)])
  return needed.size === usual.length ? admin : connectAdmin(context, url, [...needed].join(' '))
}

export function adminScopes(scopes = ''): readonly string[] {
  return scopes.split(/\s+/).filter((scope) => scope.startsWith('admin/'))
}
