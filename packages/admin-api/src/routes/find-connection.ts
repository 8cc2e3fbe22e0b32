import type { AdminCall } from '../call.ts'
import type { Connections, ConnectionView } from '../connection-ports.ts'
import { AdminProblem } from '../problem.ts'

/** The connection that the address names, with the state of its token. @throws {AdminProblem} 404 */
export async function findConnection({
  deps,
  params,
}: AdminCall): Promise<{ readonly connections: Connections; readonly view: ConnectionView }> {
  const { connections } = deps
  const view = await connections?.find(params.name ?? '')
  if (connections !== undefined && view !== undefined) return { connections, view }
  throw unknownConnection(params.name)
}

/** Whether there is one of that name; its state, which is in the database, is not read. @throws {AdminProblem} 404 */
export function nameConnection({ deps, params }: AdminCall): {
  readonly connections: Connections
  readonly name: string
} {
  const { connections } = deps
  const { name = '' } = params
  if (connections?.callersOf(name) !== undefined) return { connections, name }
  throw unknownConnection(name)
}

function unknownConnection(name: string | undefined): AdminProblem {
  return new AdminProblem(
    404,
    `no connection \`${name?.slice(0, 100)}\``,
    '`scopegate connection list` (GET /connections) lists them; they are declared under `connections`',
  )
}
