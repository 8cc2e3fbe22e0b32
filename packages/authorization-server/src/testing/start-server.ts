import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type AuthorizationServer,
  type AuthorizationServerDeps,
  createAuthorizationServer,
  type TokenIssued,
  type TokenRefusal,
} from '@scopegate/authorization-server'
import { createSealer } from '@scopegate/secrets'

export interface StartedServer {
  readonly server: AuthorizationServer
  /** Where it listens; differs from the issuer for a second process. */
  readonly address: string
  readonly issuer: string
  readonly fhir: string
  readonly refusals: TokenRefusal[]
  readonly issued: TokenIssued[]
  readonly errors: unknown[]
  close(): void
}

const sealer = createSealer([{ id: 'testtest', key: Buffer.alloc(32, 7) }])

/** An authorization server on a free port of loopback, over a test database. */
export async function startServer(
  storage: AuthorizationServerDeps['storage'],
  overrides: Partial<AuthorizationServerDeps> = {},
): Promise<StartedServer> {
  let node: (request: IncomingMessage, response: ServerResponse) => void = () => {}
  const http = createServer((request, response) => node(request, response))
  // A test that fails before it closes the server must not keep the process.
  http.unref()
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const issuer = overrides.issuer ?? address
  const fhir = `${issuer}/fhir/r4`
  const refusals: TokenRefusal[] = []
  const issued: TokenIssued[] = []
  const errors: unknown[] = []
  const server = await createAuthorizationServer({
    storage,
    sealer,
    deriveKey: (use) => createHash('sha256').update(`test ${use}`).digest(),
    issuer,
    resources: [
      { url: fhir, kind: 'fhir' },
      { url: `${issuer}/admin/api`, kind: 'admin' },
    ],
    onTokenRefused: (refusal) => refusals.push(refusal),
    onTokenIssued: (token) => issued.push(token),
    onError: (error) => {
      errors.push(error)
    },
    ...overrides,
  })
  node = server.node
  return {
    server,
    address,
    issuer,
    fhir,
    refusals,
    issued,
    errors,
    close() {
      server.close()
      http.closeAllConnections()
      http.close()
    },
  }
}
