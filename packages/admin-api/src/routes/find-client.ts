import type { ClientView } from '@scopegate/oauth-model'
import type { AdminCall } from '../call.ts'
import { AdminProblem } from '../problem.ts'

/** The client of the address. @throws {AdminProblem} 404 */
export async function findClient({ deps, params }: AdminCall): Promise<ClientView> {
  const client = await deps.clients.find(params.id ?? '')
  if (client) return client
  throw new AdminProblem(
    404,
    `no client \`${params.id}\``,
    '`scopegate client list` (GET /clients) lists them',
  )
}
