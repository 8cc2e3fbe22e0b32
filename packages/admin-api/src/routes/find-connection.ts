import type { AdminCall } from '../call.ts'
import type { Connections, ConnectionView } from '../connection-ports.ts'
import { AdminProblem } from '../problem.ts'

/** The connection that the address names. @throws {AdminProblem} 404 */
export async function findConnection({
  deps,
  params,
}: AdminCall): Promise<{ readonly connections: Connections; readonly view: ConnectionView }> {
  const { connections } = deps
  const view = await connections?.find(params.name ?? '')
  if (connections !== undefined && view !== undefined) return { connections, view }
  throw new AdminProblem(
    404,
    `no connection \`${params.name?.slice(0, 100)}\``,
    '`scopegate connection list` (GET /connections) lists them; they are declared under `connections`',
  )
}
